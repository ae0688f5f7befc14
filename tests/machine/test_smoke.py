# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machine is what the other tests take it for."""
from lib.guest_podctl import IMAGE


def test_controllers(vm):
    names = vm.read('/sys/fs/cgroup/cgroup.controllers').split()
    assert {'cpu', 'cpuset', 'io', 'memory', 'pids'} <= set(names)


def test_run(podctl):
    assert podctl('run', '--rm', '--network=none', IMAGE, 'echo', 'hello').out == 'hello'


def test_published_network(podctl):
    """The bridge, its firewall and its modules are there too."""
    assert podctl('run', '--rm', '-p', '8080:80', IMAGE, 'echo', 'hello').out == 'hello'


def test_power_cut_keeps_what_was_synced(vm):
    vm.sh('echo kept > /root/kept; sync')
    boot = vm.boot_id
    vm.power_cut()
    assert vm.boot_id != boot
    assert vm.read('/root/kept') == 'kept\n'


def test_command_that_hangs_is_ended(vm):
    try:
        vm.run('sleep', '100', seconds=1)
        raise AssertionError('it was waited for')
    except Exception as error:
        assert 'took longer than 1 s' in str(error)
    vm.run('true')
