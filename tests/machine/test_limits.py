# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits of a container hold: the file of the cgroup says so, and so does what happens."""
import time

import pytest

from lib.guest_podctl import IMAGE, counters, wait_for

MIB = 1024 * 1024
DISK = '/dev/vdb'


def show(*files):
    return 'cd /sys/fs/cgroup; for f in ' + ' '.join(files) + '; do echo $f $(cat $f); done'


def test_A14_1_limits_from_the_first_instruction(podctl):
    """A foreground run from a shell; the first thing the container does is to look."""
    out = podctl('run', '--rm', '--network=none', '--memory=48m', '--memory-reservation=32m', '--pids-limit=77',
                 '--cpus=0.5', '--cpuset-cpus=1', IMAGE, 'sh', '-c',
                 show('memory.max', 'memory.low', 'pids.max', 'cpu.max', 'cpuset.cpus')).stdout
    assert dict(line.split(' ', 1) for line in out.strip().split('\n')) == {
        'memory.max': str(48 * MIB), 'memory.low': str(32 * MIB), 'pids.max': '77', 'cpu.max': '50000 100000',
        'cpuset.cpus': '1'}


def test_A14_1_supervisor_is_in_another_leaf(vm, podctl):
    podctl.sleeper('c', '--memory=48m')
    parent = vm.sh('ps -o ppid= -p "$1"', podctl.state('c')['Pid']).out
    supervisor = vm.read(f'/proc/{parent}/cgroup').strip().split('::')[1]
    payload = podctl.cgroup('c').removeprefix('/sys/fs/cgroup')
    assert supervisor != payload and not supervisor.startswith(payload + '/')
    # exec and all its children are where the limits are (B5-03)
    podctl('exec', '-d', 'c', 'sleep', '100')
    pids = vm.read(f'{podctl.cgroup("c")}/cgroup.procs').split()
    assert len(pids) == 2
    assert podctl('exec', 'c', 'cat', '/proc/self/cgroup').out == '0::/'
    podctl('rm', '-f', '-t', '0', 'c')


def vuln_B5_07_fork_bomb(vm, podctl):
    """The default limit of 2048 holds, and the machine answers all the time. security: A09.4"""
    assert podctl('run', '-d', '--name', 'bomb', '--network=none', IMAGE, '/hog', 'forks').out
    assert podctl.knob('bomb', 'pids.max') == '2048'
    slowest, begin, text = 0, time.monotonic(), ''
    while not text and time.monotonic() - begin < 60:
        before = time.monotonic()
        vm.run('true', seconds=10)
        slowest = max(slowest, time.monotonic() - before)
        text = podctl('logs', 'bomb').out
    forked, error = map(int, text.split())
    assert error == 11 and 2000 < forked < 2048
    assert counters(podctl.knob('bomb', 'pids.events'))['max'] > 0
    assert slowest < 5, f'the machine did not answer for {slowest:.1f} s'
    begin = time.monotonic()
    podctl('rm', '-f', '-t', '0', 'bomb')
    assert time.monotonic() - begin < 20


def test_pids_limit(vm, podctl):
    for option, want in (('--pids-limit=20', '20'), ('--pids-limit=-1', 'max'), ('--pids-limit=0', 'max')):
        assert podctl('run', '--rm', '--network=none', option, IMAGE, 'cat', '/sys/fs/cgroup/pids.max').out == want
    podctl('run', '-d', '--name', 'few', '--network=none', '--pids-limit=20', IMAGE, '/hog', 'forks')
    assert wait_for(lambda: podctl('logs', 'few').out) == '19 11'
    podctl('rm', '-f', '-t', '0', 'few')


def test_C10_memory_limit_kills(podctl):
    """137, and the reason is on record; a kill by anybody else is not that reason."""
    result = podctl('run', '--name', 'hungry', '--network=none', '--memory=24m', IMAGE, '/hog', 'memory', '100', check=False)
    assert result.code == 137, repr(result)
    state = podctl.state('hungry')
    assert state['OOMKilled'] is True and state['ExitCode'] == 137 and state['Status'] == 'exited', state
    podctl.sleeper('killed', '--memory=24m')
    podctl('kill', '-s', 'KILL', 'killed')
    wait_for(lambda: podctl.status('killed') == 'exited')
    state = podctl.state('killed')
    assert state['OOMKilled'] is False and state['ExitCode'] == 137, state
    podctl('rm', 'hungry', 'killed')


def test_C10_memory_limit_is_one_of_the_container(podctl):
    """A child that is too big dies alone, unless the group is asked for."""
    script = '/hog memory 100; echo status $?'
    assert podctl('run', '--rm', '--network=none', '--memory=24m', IMAGE, 'sh', '-c', script).out.endswith('status 137')
    result = podctl('run', '--rm', '--network=none', '--memory=24m', '--cgroup-conf=memory.oom.group=1', IMAGE,
                    'sh', '-c', script, check=False)
    assert result.code == 137 and 'status' not in result.stdout, repr(result)


def test_oom_of_exec_leaves_the_container(podctl):
    pid = podctl.sleeper('c', '--memory=24m')
    assert podctl('exec', 'c', '/hog', 'memory', '100', check=False).code == 137
    assert podctl.state('c')['Pid'] == pid and podctl.status('c') == 'running'
    podctl('rm', '-f', '-t', '0', 'c')


def test_swap(podctl):
    """--memory-swap is memory and swap together."""
    for options, want in ((('--memory=32m',), str(32 * MIB)), (('--memory=32m', '--memory-swap=48m'), str(16 * MIB)),
                          (('--memory=32m', '--memory-swap=-1'), 'max'), (('--memory=32m', '--memory-swap=32m'), '0')):
        assert podctl('run', '--rm', '--network=none', *options, IMAGE, 'cat', '/sys/fs/cgroup/memory.swap.max').out == want


def test_cpu_quota(vm, podctl):
    podctl('run', '-d', '--name', 'c', '--network=none', '--cpus=0.2', IMAGE, 'sh', '-c', 'while :; do :; done')
    path = f'{podctl.cgroup("c")}/cpu.stat'
    # Both numbers are taken inside: how fast this machine runs does not matter.
    out = vm.sh('u() { sed -n "s/^usage_usec //p" "$1"; }; t() { cut -d" " -f1 /proc/uptime; }; '
                'a=$(u "$1"); b=$(t); sleep 3; echo $a $b $(u "$1") $(t)', path).out
    used, begin, used_after, end = map(float, out.split())
    share = (used_after - used) / 1e6 / (end - begin)
    assert 0.05 < share < 0.3, f'{share:.2f} of a processor'
    assert counters(vm.read(path))['nr_throttled'] > 5
    podctl('rm', '-f', '-t', '0', 'c')


def test_cpu_shares_and_period(podctl):
    out = podctl('run', '--rm', '--network=none', '--cpu-shares=512', '--cpu-period=20000', '--cpu-quota=5000', IMAGE,
                 'sh', '-c', show('cpu.weight', 'cpu.max')).stdout
    values = dict(line.split(' ', 1) for line in out.strip().split('\n'))
    assert values['cpu.max'] == '5000 20000' and 1 < int(values['cpu.weight']) < 100, values


def test_cpuset(podctl):
    out = podctl('run', '--rm', '--network=none', '--cpuset-cpus=1', '--cpuset-mems=0', IMAGE, 'sh', '-c',
                 'grep Cpus_allowed_list /proc/self/status; nproc').out
    assert out.split() == ['Cpus_allowed_list:', '1', '1']
    line = podctl.fails(125, 'run', '--rm', '--network=none', '--cpuset-cpus=7', IMAGE, 'true')
    assert '--cpuset-cpus' in line and '7' in line


@pytest.fixture
def disk(vm):
    """An empty file system on a disk of its own."""
    vm.sh(f'mkdir -p /mnt/disk; busybox mke2fs -F {DISK} > /dev/null 2>&1; mount -t ext4 {DISK} /mnt/disk')
    yield '/mnt/disk'
    vm.sh('umount /mnt/disk')


def test_io_limit(vm, podctl, disk):
    """What is written to the disk, and not to the cache, is held back: 6 MiB at 1 MiB a second."""
    script = 'dd if=/dev/zero of=/data/file bs=256k count=24 conv=fsync 2>/dev/null; cat /sys/fs/cgroup/io.max'
    number = ':'.join(str(int(part, 16)) for part in vm.sh(f'stat -c "%t %T" {DISK}').out.split())
    took, out = seconds(vm, 'run', '--rm', '--network=none', '-v', f'{disk}:/data', '--device-write-bps', f'{DISK}:1mb',
                        '--device-read-iops', f'{DISK}:100', IMAGE, 'sh', '-c', script)
    fields = out.split()
    assert fields[0] == number and f'wbps={MIB}' in fields and 'riops=100' in fields, out
    assert took > 4.5, f'{took:.1f} s'


def seconds(vm, *words):
    """How long a command took by the clock inside, and what it printed."""
    result = vm.sh('cut -d" " -f1 /proc/uptime; podctl "$@"; cut -d" " -f1 /proc/uptime', *words)
    lines = result.out.split('\n')
    return float(lines[-1]) - float(lines[0]), '\n'.join(lines[1:-1])


def test_io_limit_of_nothing(podctl):
    for value in ('/dev/nothing:1mb', '/dev/null:1mb', '/etc/passwd:1mb'):
        line = podctl.fails(125, 'run', '--rm', '--network=none', '--device-write-bps', value, IMAGE, 'true')
        assert value.split(':')[0] in line


def test_A14_2_cgroup_conf(podctl):
    out = podctl('run', '--rm', '--network=none', '--cgroup-conf=memory.high=33554432', '--cgroup-conf', 'pids.max=99',
                 IMAGE, 'sh', '-c', show('memory.high', 'pids.max')).out
    assert out.split() == ['memory.high', '33554432', 'pids.max', '99']
    line = podctl.fails(125, 'run', '--rm', '--network=none', '--cgroup-conf=memory.nothing=1', IMAGE, 'true')
    assert 'memory.nothing' in line


def test_B5_08_cgroup_parent(vm, podctl):
    podctl.sleeper('c', '--cgroup-parent=web.slice', '--memory=48m')
    assert '/web.slice/' in podctl.cgroup('c')
    podctl('rm', '-f', '-t', '0', 'c')
    for parent in ('../x.slice', '/../x', 'a/b.slice', 'x\n.slice', '/a/../../b', ''):
        assert podctl('run', '--rm', '--network=none', '--cgroup-parent', parent, IMAGE, 'true', check=False).code == 125
    assert vm.sh('ls -d /x /b /sys/fs/cgroup/x* 2>/dev/null', check=False).out == ''


def test_A14_3_stop_kills_all_there_is(vm, podctl):
    """Processes that left the session and their parent, some frozen, end with the container."""
    podctl('run', '-d', '--name', 'c', '--network=none', IMAGE, 'sh', '-c',
           'for i in 1 2 3 4 5 6; do setsid setsid sleep 1000 & done; exec /probe sleep')
    path = podctl.cgroup('c')
    wait_for(lambda: len(vm.read(f'{path}/cgroup.procs').split()) >= 7)
    pids = vm.read(f'{path}/cgroup.procs').split()
    podctl('stop', '-t', '5', 'c')
    assert not vm.sh('for p in "$@"; do [ ! -d /proc/$p ] || cat /proc/$p/comm; done', *pids).out
    podctl('rm', 'c')
    assert vm.sh(f'ls -d {path}', check=False).code != 0


def test_A14_4_cgroup_is_read_only_inside(podctl):
    result = podctl('run', '--rm', '--network=none', IMAGE, 'sh', '-c',
                    'mkdir /sys/fs/cgroup/x; echo max > /sys/fs/cgroup/memory.max', check=False)
    assert result.code != 0 and result.stderr.count('Read-only file system') == 2, repr(result)


def vuln_B5_01_no_cgroup_mount_inside(podctl):
    """Neither version can be mounted, with or without capabilities in a user namespace of one's own."""
    script = ('mount -t cgroup -o memory cgroup /tmp; mount -t cgroup2 none /tmp; '
              'unshare -U -r -m -C sh -c "mount -t cgroup -o rdma cgroup /tmp"; grep " cgroup2* " /proc/mounts')
    out = podctl('run', '--rm', '--network=none', IMAGE, 'sh', '-c', script).out
    lines = out.split('\n')
    assert len(lines) == 1 and ' cgroup2 ro,' in lines[0], out


def vuln_B5_03_annotations_choose_nothing(podctl):
    podctl.sleeper('c', '--annotation', 'io.kubernetes.cri-o.cgroup=/evil', '--label', 'cgroup=/evil', '--annotation',
                   'cpuset=0', '--annotation', 'org.systemd.property.MemoryMax=1')
    assert 'evil' not in podctl.cgroup('c') and podctl.knob('c', 'memory.max') == 'max'
    podctl('rm', '-f', '-t', '0', 'c')


def test_update(vm, podctl):
    """Of a running container at once; after the next start still; a bad value changes nothing."""
    pid = podctl.sleeper('c', '--memory=64m')
    podctl('update', '--memory=32m', '--pids-limit=33', '--cpus=0.3', '--cpuset-cpus=0', 'c')

    def knobs():
        return [podctl.knob('c', name) for name in ('memory.max', 'pids.max', 'cpu.max', 'cpuset.cpus')]
    want = [str(32 * MIB), '33', '30000 100000', '0']
    assert knobs() == want and podctl.state('c')['Pid'] == pid
    assert podctl.fails(125, 'update', '--memory=1x', 'c') and knobs() == want
    podctl('restart', '-t', '0', 'c')
    assert knobs() == want
    assert podctl.inspect('c')['HostConfig']['Memory'] == 32 * MIB
    podctl('rm', '-f', '-t', '0', 'c')
