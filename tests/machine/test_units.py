# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits of Quadlet units: the unit's own, and the container's below them."""
import time

import pytest

from lib.guest_podctl import IMAGE, wait_for

UNITS = '/etc/containers/systemd'
MIB = 1024 * 1024


class Units:
    def __init__(self, vm):
        self.vm = vm

    def write(self, name, text):
        self.vm.write(f'{UNITS}/{name}', text)
        self.vm.run('systemctl', 'daemon-reload')

    def show(self, unit, name):
        return self.vm.run('systemctl', 'show', '-P', name, unit).out

    def cgroup(self, unit):
        return '/sys/fs/cgroup' + self.show(unit, 'ControlGroup')


@pytest.fixture
def units(vm):
    made = Units(vm)
    yield made
    vm.sh(f'systemctl stop u.service u-pod.service 2>/dev/null; rm -f {UNITS}/*; systemctl daemon-reload; '
          'systemctl reset-failed', check=False)


def container(command, service='', more=''):
    return (f'[Container]\nContainerName=u\nImage={IMAGE}\nPull=never\nNetwork=none\nExec={command}\n{more}\n'
            f'[Service]\n{service}\n')


def test_unit_limits_and_container_limits(vm, podctl, units):
    """MemoryMax= of the unit, --memory of the container in a leaf below; the device program too."""
    units.write('u.container', container('/probe sleep', 'MemoryMax=96M\nTasksMax=500',
                                         'PodmanArgs=--memory=48m --pids-limit=44\nAddCapability=MKNOD'))
    vm.run('systemctl', 'start', 'u.service')
    unit, payload = units.cgroup('u.service'), podctl.cgroup('u')
    assert payload.startswith(f'{unit}/') and podctl.knob('u', 'memory.max') == str(48 * MIB)
    assert podctl.knob('u', 'pids.max') == '44'
    assert vm.read(f'{unit}/memory.max').strip() == str(96 * MIB) and vm.read(f'{unit}/pids.max').strip() == '500'
    vm.sh('for i in 1 2 3 4 5; do systemctl daemon-reload; done; systemctl set-property --runtime u.service MemoryMax=80M')
    assert vm.read(f'{unit}/memory.max').strip() == str(80 * MIB) and podctl.knob('u', 'memory.max') == str(48 * MIB)
    assert podctl('exec', 'u', 'sh', '-c', 'mknod /tmp/d b 8 0 && cat /tmp/d', check=False).stderr.count('not permitted') == 1
    vm.run('systemctl', 'stop', 'u.service')
    assert units.show('u.service', 'Result') == 'success'
    assert vm.sh(f'ls -d {unit}', check=False).code != 0


def vuln_B5_07_default_in_a_unit(vm, podctl, units):
    """The default against fork bombs holds in a unit too, and memory is counted."""
    units.write('u.container', container('/probe sleep'))
    vm.run('systemctl', 'start', 'u.service')
    assert podctl.knob('u', 'pids.max') == '2048' and podctl.knob('u', 'memory.max') == 'max'
    vm.run('systemctl', 'stop', 'u.service')


def test_oom_under_the_units_limit(vm, podctl, units):
    """The program is killed and the unit fails with 137."""
    units.write('u.container', container('/hog memory 100', 'MemoryMax=40M'))
    vm.run('systemctl', 'start', 'u.service', check=False)
    wait_for(lambda: units.show('u.service', 'ActiveState') == 'failed')
    assert units.show('u.service', 'ExecMainStatus') == '137'
    podctl('rm', '-f', '--ignore', 'u')


def test_pod_unit(vm, podctl, units):
    """Members of a pod in units are below the pod's limit, wherever their units stand."""
    units.write('u.pod', '[Pod]\nPodName=p\nNetwork=none\nPodmanArgs=--memory=96m\n')
    units.write('u.container', container('/probe sleep', more='Pod=u.pod').replace('Network=none\n', ''))
    vm.run('systemctl', 'start', 'u.service')
    path = podctl.cgroup('u')
    limits = []
    while len(path) > len('/sys/fs/cgroup'):
        limits.append(vm.sh('cat "$1" 2>/dev/null', f'{path}/memory.max', check=False).out)
        path = path.rsplit('/', 1)[0]
    assert str(96 * MIB) in limits, limits
    vm.run('systemctl', 'stop', 'u-pod.service')


def test_shell_runs_get_their_limits(vm, podctl):
    """In a session's scope, in a unit without Delegate=, detached and in the foreground."""
    words = ('run', '--rm', '--network=none', '--memory=48m', IMAGE, 'cat', '/sys/fs/cgroup/memory.max')
    for wrapper in (('systemd-run', '--quiet', '--scope'), ('systemd-run', '--quiet', '--wait', '--pipe'),
                    ('systemd-run', '--quiet', '--wait', '--pipe', '-p', 'Delegate=yes')):
        assert vm.run(*wrapper, 'podctl', *words).out == str(48 * MIB), wrapper
    vm.run('systemd-run', '--quiet', '--wait', '--pipe', 'podctl', 'run', '-d', '--name', 'stays', '--network=none',
           '--memory=48m', IMAGE, '/probe', 'sleep')
    # The unit that started it has ended; it has not.
    time.sleep(0.5)
    assert podctl.status('stays') == 'running' and podctl.knob('stays', 'memory.max') == str(48 * MIB)
    podctl('rm', '-f', '-t', '0', 'stays')
