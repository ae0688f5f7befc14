# SPDX-License-Identifier: LGPL-2.1-or-later
"""A pod is a slice: its limits hold over its members, and members keep their own."""
import pytest

from lib.guest_podctl import IMAGE, counters, wait_for

MIB = 1024 * 1024


def above(vm, path, name, value):
    """The first cgroup from path upwards whose file NAME holds value."""
    while len(path) > len('/sys/fs/cgroup'):
        if vm.sh('cat "$1" 2>/dev/null', f'{path}/{name}', check=False).out == value:
            return path
        path = path.rsplit('/', 1)[0]
    raise AssertionError(f'no cgroup with {name} {value}')


def member(podctl, name, *command, options=()):
    podctl('pod', 'add', '--name', name, *options, 'p', IMAGE, *command)


def test_pod_memory_holds_over_members(vm, podctl):
    """Each of two is below the limit, together they are not: one of them is killed."""
    podctl('pod', 'create', '--name', 'p', '--network=none', '--memory=64m')
    member(podctl, 'a', '/hog', 'memory', '40')
    wait_for(lambda: 'done' in podctl('logs', 'a').stdout)
    pod = above(vm, podctl.cgroup('a'), 'memory.max', str(64 * MIB))
    member(podctl, 'b', '/hog', 'memory', '40')
    wait_for(lambda: 'exited' in (podctl.status('a'), podctl.status('b')))
    killed, other = ('a', 'b') if podctl.status('a') == 'exited' else ('b', 'a')
    assert podctl.state(killed)['ExitCode'] == 137 and podctl.state(killed)['OOMKilled'] is True
    assert podctl.status(other) == 'running'
    assert int(vm.read(f'{pod}/memory.peak') if vm.sh('ls "$1"', f'{pod}/memory.peak', check=False).code == 0 else 0) \
        <= 64 * MIB
    podctl('pod', 'rm', '-f', '-t', '0', 'p')


def test_oom_of_one_member_leaves_siblings(podctl):
    podctl('pod', 'create', '--name', 'p', '--network=none', '--memory=128m')
    member(podctl, 'a', '/probe', 'sleep')
    member(podctl, 'b', '/hog', 'memory', '100', options=('--memory=24m',))
    wait_for(lambda: podctl.status('b') == 'exited')
    assert podctl.state('b')['OOMKilled'] is True and podctl.state('b')['ExitCode'] == 137
    assert podctl.status('a') == 'running' and podctl.state('a')['OOMKilled'] is False
    assert podctl('exec', 'a', 'echo', 'alive').out == 'alive'
    podctl('pod', 'rm', '-f', '-t', '0', 'p')


def test_pod_cpus(vm, podctl):
    podctl('pod', 'create', '--name', 'p', '--network=none', '--cpus=0.4', '--cpuset-cpus=1')
    for name in ('a', 'b'):
        member(podctl, name, 'sh', '-c', 'while :; do :; done')
    pod = above(vm, podctl.cgroup('a'), 'cpu.max', '40000 100000')
    assert podctl('exec', 'b', 'nproc').out == '1'
    out = vm.sh('u() { sed -n "s/^usage_usec //p" "$1"; }; t() { cut -d" " -f1 /proc/uptime; }; '
                'a=$(u "$1"); b=$(t); sleep 3; echo $a $b $(u "$1") $(t)', f'{pod}/cpu.stat').out
    used, begin, used_after, end = map(float, out.split())
    assert 0.1 < (used_after - used) / 1e6 / (end - begin) < 0.55
    podctl('pod', 'rm', '-f', '-t', '0', 'p')


def test_member_limits_beside_the_pods(vm, podctl):
    podctl('pod', 'create', '--name', 'p', '--network=none', '--memory=128m')
    member(podctl, 'a', '/probe', 'sleep', options=('--memory=32m', '--pids-limit=20'))
    member(podctl, 'b', '/probe', 'sleep')
    assert podctl.knob('a', 'memory.max') == str(32 * MIB) and podctl.knob('a', 'pids.max') == '20'
    assert podctl.knob('b', 'memory.max') == 'max' and podctl.knob('b', 'pids.max') == '2048'
    assert above(vm, podctl.cgroup('a'), 'memory.max', str(128 * MIB)) == \
        above(vm, podctl.cgroup('b'), 'memory.max', str(128 * MIB))
    podctl('pod', 'rm', '-f', '-t', '0', 'p')


def available(vm):
    """Memory of the machine that nobody uses, in bytes."""
    vm.sh('sync; echo 3 > /proc/sys/vm/drop_caches')
    return 1024 * next(int(line.split()[1]) for line in vm.read('/proc/meminfo').split('\n') if line.startswith('MemAvailable'))


@pytest.mark.parametrize('rounds', [pytest.param(5, id='short'), pytest.param(50, id='long', marks=pytest.mark.full)])
def vuln_B5_06_shm_of_a_pod(vm, podctl, rounds):
    """What a killed member leaves in the shared /dev/shm is bounded, and goes with the pod."""
    before = available(vm)
    podctl('pod', 'create', '--name', 'p', '--network=none', '--memory=48m', '--shm-size=40m')
    member(podctl, 'sits', '/probe', 'sleep')
    pod = above(vm, podctl.cgroup('sits'), 'memory.max', str(48 * MIB))
    script = 'dd if=/dev/zero of=/dev/shm/$$-$(cat /proc/sys/kernel/random/uuid) bs=1M count=30 2>/dev/null; exec /hog memory 100'
    podctl('create', '--pod', 'p', '--name', 'fills', IMAGE, 'sh', '-c', script)
    for _ in range(rounds):
        podctl('start', 'fills')
        wait_for(lambda: podctl.status('fills') == 'exited')
        assert podctl.state('fills')['OOMKilled'] is True
        assert int(vm.read(f'{pod}/memory.current')) <= 48 * MIB
    size, used = vm.sh('stat -f -c "%b %f %s" "/proc/$1/root/dev/shm"', podctl.state('sits')['Pid']).out.split()[:2]
    assert int(size) * 4096 == 40 * MIB and int(used) >= 0
    assert podctl.status('sits') == 'running'
    assert counters(vm.read(f'{pod}/memory.events'))['oom_kill'] >= rounds
    podctl('pod', 'rm', '-f', '-t', '0', 'p')
    wait_for(lambda: available(vm) > before - 8 * MIB)
