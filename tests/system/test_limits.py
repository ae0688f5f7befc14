# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits, freezing, statistics and the device program, as far as they need no cgroup controller: those that do
are in tests/machine. Here asking for one is an error that names it."""
import contextlib
import fcntl
import json
import os
import socket
import subprocess
import time

import pytest

from lib.command import IS_PODMAN, wait_for
from lib.leaks import CGROUP

pytestmark = pytest.mark.skipif(IS_PODMAN, reason="podctl's own words")


def controllers():
    with open(f'{CGROUP}/cgroup.controllers', encoding='ascii') as stream:
        return stream.read().split()


without_controllers = pytest.mark.skipif('memory' in controllers(), reason='the machine has the controllers')


def sleeper(podctl, image, name, *options):
    podctl('run', '-d', '--name', name, '--network=none', *options, image, '/probe', 'sleep')
    podctl.ready(name)
    return podctl.pid(name)


def remove(podctl, *names):
    podctl('rm', '-f', '-t', '0', *names)


def cgroup_of(pid):
    with open(f'/proc/{pid}/cgroup', encoding='ascii') as stream:
        return next(line.strip()[3:] for line in stream if line.startswith('0::'))


def below_cgroup(path=''):
    return sorted(os.path.relpath(os.path.join(folder, name), CGROUP)
                  for folder, names, _ in os.walk(CGROUP + path) for name in names)


BAD_VALUES = [
    ('--memory', ['1x', '-1', '', 'max', '1e9']),
    ('--memory-reservation', ['1x', '-1', '']),
    ('--memory-swap', ['1x', '-2', '1g']),
    ('--cpus', ['', 'x', '-1', '1e3', '0.001', '1,5']),
    ('--cpu-period', ['x', '10', '2000000', '-1']),
    ('--cpu-quota', ['x', '10', '-5']),
    ('--cpu-shares', ['x', '-1', '']),
    ('--cpuset-cpus', ['x', '3-1', '1,,2', '-1', '0-']),
    ('--cpuset-mems', ['x', '3-1']),
    ('--pids-limit', ['x', '-2', '', '1k']),
    ('--blkio-weight', ['x', '9', '1001']),
    ('--blkio-weight-device', ['x', '/dev/x', '/dev/x:9', 'sda:100']),
    ('--device-read-bps', ['x', '/dev/x', '/dev/x:y', 'sda:1']),
    ('--device-write-bps', ['x', '/dev/x:']),
    ('--device-read-iops', ['/dev/x:1k']),
    ('--device-write-iops', ['/dev/x:-1']),
    ('--cgroup-conf', ['x', 'memory.max', '../x=1', 'a/b.c=1', 'cgroup.procs=1', 'cgroup.kill=1', 'X.y=1',
                       'memory.max=1\n2']),
    ('--cgroups', ['x', '']),
]


@pytest.mark.parametrize('option,value', [(option, value) for option, values in BAD_VALUES for value in values])
def test_bad_value(podctl, image, option, value):
    line = podctl.fails(125, 'run', '--rm', '--name', 'bad', '--network=none', f'{option}={value}', image, 'true')
    assert option in line, line
    assert not podctl('ps', '-aq').out


@pytest.mark.parametrize('option', [row[0] for row in BAD_VALUES if not row[0].startswith('--cgroup')])
def test_bad_value_of_a_pod_and_of_update(podctl, image, option):
    value = next(values[0] for name, values in BAD_VALUES if name == option)
    assert option in podctl.fails(125, 'pod', 'create', '--name', 'bad', f'{option}={value}')
    assert podctl('pod', 'exists', 'bad', check=False).code == 1
    podctl('create', '--name', 'c', '--network=none', image, 'true')
    before = podctl.inspect('c')['HostConfig']
    assert option in podctl.fails(125, 'update', f'{option}={value}', 'c')
    assert podctl.inspect('c')['HostConfig'] == before
    remove(podctl, 'c')


@pytest.mark.parametrize('words', [
    ('--cpus=1', '--cpu-period=5000'), ('--cpus=1', '--cpu-quota=5000'), ('--memory=2g', '--memory-swap=1g'),
    ('--memory=1g', '--memory-reservation=2g'), ('--cgroups=disabled', '--memory=1g'),
    ('--cgroups=disabled', '--cgroup-conf=memory.high=1'), ('--cgroups=split', '--cgroup-parent=/a'),
    ('--cgroups=disabled', '--cgroup-parent=/a'), ('--pod=new:p', '--cgroup-parent=/a'),
])
def test_options_that_exclude_each_other(podctl, image, words):
    podctl.fails(125, 'run', '--rm', '--network=none', *words, image, 'true')
    assert not podctl('ps', '-aq').out and not podctl('pod', 'ps', '-q').out


@pytest.mark.parametrize('words', [('--memory-swappiness=1',), ('--cpu-rt-period=1',), ('--cpu-rt-runtime=1',),
                                   ('--oom-kill-disable',), ('--intel-rdt-closid=x',), ('--rdt-class=x',)])
def test_refused_by_name(podctl, image, words):
    line = podctl.fails(125, 'run', '--rm', '--network=none', *words, image, 'true')
    assert words[0].split('=')[0] in line and 'not supported' in line


@without_controllers
@pytest.mark.parametrize('option,controller', [
    ('--memory=64m', 'memory'), ('--memory-reservation=64m', 'memory'), ('--cpus=1', 'cpu'), ('--cpu-shares=512', 'cpu'),
    ('--cpu-quota=5000', 'cpu'), ('--cpuset-cpus=0', 'cpuset'), ('--cpuset-mems=0', 'cpuset'), ('--pids-limit=9', 'pids'),
    ('--blkio-weight=100', 'io'), ('--cgroup-conf=memory.oom.group=1', 'memory'),
])
def test_missing_controller_is_named(podctl, image, option, controller):
    """In the foreground, in the background and for a pod; nothing is left of the attempt."""
    before = below_cgroup()
    line = podctl.fails(125, 'run', '--rm', '--network=none', option, image, 'true')
    assert option.split('=')[0] in line and f'"{controller}"' in line and 'controller' in line, line
    line = podctl.fails(125, 'run', '-d', '--name', 'c', '--network=none', option, image, 'true')
    assert f'"{controller}"' in line
    podctl('rm', '-f', 'c')
    if option.startswith('--cgroup-conf'):
        return
    podctl('pod', 'create', '--name', 'p', '--network=none', option)
    line = podctl.fails(125, 'pod', 'start', 'p')
    assert option.split('=')[0] in line and f'"{controller}"' in line
    podctl('pod', 'rm', '-f', 'p')
    assert below_cgroup() == before


@without_controllers
def test_what_was_not_asked_for_needs_no_controller(podctl, image):
    """No limit at all, the default one, and the word that there is to be none."""
    for options in ((), ('--pids-limit=0',), ('--pids-limit=-1',)):
        assert podctl('run', '--rm', '--network=none', *options, image, 'echo', 'up').out == 'up'


def test_limit_of_a_device_that_is_none(podctl, image):
    for path in ('/dev/no-such-thing', '/dev/null', '/etc/passwd'):
        line = podctl.fails(125, 'run', '--rm', '--network=none', f'--device-read-bps={path}:1mb', image, 'true')
        assert path in line and '--device-read-bps' in line


def sec_A14_1_processes_are_in_the_cgroup(podctl, image):
    """From birth on, exec included; the supervisor is elsewhere."""
    pid = sleeper(podctl, image, 'c')
    place = podctl.state('c')['CgroupPath']
    assert place.startswith(CGROUP) and cgroup_of(pid) == place.removeprefix(CGROUP)
    supervisor = podctl.state('c')['ConmonPid']
    assert not cgroup_of(supervisor).startswith(cgroup_of(pid))
    with podctl.start('exec', 'c', 'sleep', '100') as process:
        wait_for(lambda: len(open(f'{place}/cgroup.procs', encoding='ascii').read().split()) == 2)
        remove(podctl, 'c')
        process.wait(10)
    assert not os.path.exists(place)


def sec_A14_2_cgroup_namespace(podctl, image):
    """What the container sees of the tree is its own root, read-only."""
    pid = sleeper(podctl, image, 'c')
    assert podctl('exec', 'c', 'sh', '-c', 'grep ^0:: /proc/self/cgroup').out == '0::/'
    assert os.readlink(f'/proc/{pid}/ns/cgroup') != os.readlink('/proc/self/ns/cgroup')
    assert podctl('exec', 'c', 'sh', '-c', 'mkdir /sys/fs/cgroup/x', check=False).code != 0
    remove(podctl, 'c')


def sec_A14_3_removal(podctl, image):
    """Everything in the cgroup ends, whatever session it is in, and the tree is as before."""
    before = below_cgroup()
    podctl('run', '-d', '--name', 'c', '--network=none', '--pid=host', image, 'sh', '-c',
           'for i in 1 2 3 4 5; do setsid sleep 1000 & done; exec /probe sleep')
    place = podctl.state('c')['CgroupPath']
    procs = f'{place}/cgroup.procs'
    wait_for(lambda: len(open(procs, encoding='ascii').read().split()) >= 6)
    pids = open(procs, encoding='ascii').read().split()
    podctl.ready('c')
    # children of its own, too
    os.mkdir(f'{place}/inner')
    os.mkdir(f'{place}/inner/most')
    podctl('stop', '-t', '5', 'c')
    assert not os.path.exists(place)
    assert not [pid for pid in pids if os.path.exists(f'/proc/{pid}')]
    podctl('rm', 'c')
    assert below_cgroup() == before


def test_B5_cgroup_parent(podctl, image):
    """The way there is made, and goes when the last one goes; what others have made stays."""
    os.mkdir(f'{CGROUP}/theirs')
    try:
        sleeper(podctl, image, 'a', '--cgroup-parent=/theirs/made/deep')
        sleeper(podctl, image, 'b', '--cgroup-parent=/theirs/made')
        assert podctl.state('a')['CgroupPath'].startswith(f'{CGROUP}/theirs/made/deep/')
        remove(podctl, 'a')
        assert below_cgroup('/theirs') != [] and not os.path.exists(f'{CGROUP}/theirs/made/deep')
        remove(podctl, 'b')
        assert os.listdir(CGROUP).count('theirs') == 1 and below_cgroup('/theirs') == []
    finally:
        os.rmdir(f'{CGROUP}/theirs')


PARENTS = ['', '.', '..', '/', '/.', '/..', '/../x', '/a/..', '/a/../b', '/a/./b', '/a//b', '//a', '/a/', 'a', 'a/b', './a',
           '../a', '../../a', 'a/../b', '/a\nb', '/a\tb', '/a b', ' /a', '/a ', '/a\x7f', '/a\x1b[31m', '/ä', 'x\n.slice',
           'x .slice', 'a/b.slice', '../x.slice', '/' + 'a' * 4000, '.slice/..', 'a.slice/', '~', '$HOME', '%n', 'system.slice/x',
           '/sys/fs/cgroup/../../x', '/a/b/../../../c']
NAMES = ['..', '.', '/', 'a/b', '../x', 'a/../b', '/etc', 'a b', 'a\nb', 'a\x1b', '-a', '.a', '', 'ä', 'a' * 300]


def vuln_B5_08_cgroup_name_injection(podctl, image):
    """Names and parents never lead out of the tree: refused, or the path is below what was meant."""
    before = below_cgroup()
    for parent in PARENTS:
        line = podctl.fails(125, 'run', '--rm', '--network=none', f'--cgroup-parent={parent}', image, 'true')
        assert '--cgroup-parent' in line, (parent, line)
        assert '--cgroup-parent' in podctl.fails(125, 'pod', 'create', f'--cgroup-parent={parent}')
    for name in NAMES:
        podctl.fails(125, 'run', '-d', '--network=none', f'--name={name}', image, 'true')
    # names with a meaning elsewhere: the cgroup is named by the id alone
    for name in ('cgroup.procs', 'a.scope', 'x2d.slice', 'supervisor', 'a_b-c.d'):
        sleeper(podctl, image, name)
        assert os.path.basename(podctl.state(name)['CgroupPath']) == podctl.inspect(name)['Id']
        remove(podctl, name)
    assert below_cgroup() == before and not podctl('ps', '-aq').out


def vuln_B5_03_nothing_but_options_chooses(podctl, image):
    """Labels, annotations and variables with telling names are inert, in every mode."""
    words = []
    for key in ('cgroup', 'cgroup-parent', 'cpuset', 'io.kubernetes.cri-o.cgroup', 'org.systemd.property.Slice',
                'run.oci.systemd.subgroup', 'io.podman.cgroup'):
        for option in ('--label', '--annotation', '--env'):
            words += [option, f'{key}=/evil']
    for mode in ('enabled', 'no-conmon', 'split', 'disabled'):
        pid = sleeper(podctl, image, 'c', f'--cgroups={mode}', *words)
        place = podctl.state('c')['CgroupPath']
        assert 'evil' not in cgroup_of(pid)
        if mode == 'disabled':
            assert place == '' and cgroup_of(pid) == cgroup_of('self')
        else:
            assert place == CGROUP + cgroup_of(pid) and podctl.inspect('c')['Id'] in place
        remove(podctl, 'c')
    assert not os.path.exists(f'{CGROUP}/evil')


NODES = r'''for d in 'c 1 3' 'b 8 0' 'b 254 0' 'c 10 200' 'c 1 1' 'c 1 2' 'c 10 144'; do
	mknod /tmp/n $d || { echo "$d: not made"; continue; }
	cat /tmp/n > /dev/null 2> /tmp/e && echo "$d: open" || { grep -q 'Operation not permitted' /tmp/e && echo "$d: denied"; }
	rm /tmp/n
done'''
DENIED = ['c 1 3: open', 'b 8 0: denied', 'b 254 0: denied', 'c 10 200: denied', 'c 1 1: denied', 'c 1 2: denied',
          'c 10 144: denied']


def sec_A05_5_device_program(podctl, image):
    """Nodes can be made with the capability, and are of no use; also by exec, and in a pod."""
    assert podctl('run', '--rm', '--network=none', '--cap-add=MKNOD', image, 'sh', '-c', NODES).out.split('\n') == DENIED
    sleeper(podctl, image, 'c', '--cap-add=MKNOD')
    assert podctl('exec', 'c', 'sh', '-c', NODES).out.split('\n') == DENIED
    podctl('pause', 'c')
    podctl('unpause', 'c')
    assert podctl('exec', 'c', 'sh', '-c', NODES).out.split('\n') == DENIED
    remove(podctl, 'c')
    podctl('pod', 'create', '--name', 'p', '--network=none')
    podctl('pod', 'add', '--name', 'm', '--cap-add=MKNOD', 'p', image, '/probe', 'sleep')
    assert podctl('exec', 'm', 'sh', '-c', NODES).out.split('\n') == DENIED
    podctl('pod', 'rm', '-f', '-t', '0', 'p')


def sec_A12_1_privileged_has_no_device_program(podctl, image):
    out = podctl('run', '--rm', '--network=none', '--privileged', image, 'sh', '-c', NODES).out.split('\n')
    assert 'c 1 1: denied' not in out, out


def test_device_program_needs_cgroups(podctl, image):
    line = podctl.fails(125, 'run', '--rm', '--network=none', '--cap-add=MKNOD', '--cgroups=disabled', image, 'true')
    assert 'MKNOD' in line and '--cgroups' in line


BUSY = 'while :; do :; done'


def busy(podctl, image, name, *options):
    podctl('run', '-d', '--name', name, '--network=none', *options, image, 'sh', '-c', BUSY)
    wait_for(lambda: ticks(podctl, name) > 0)


def ticks(podctl, name):
    """Processor time, read from outside: nothing can be run in what is frozen."""
    with open(f'/proc/{podctl.pid(name)}/stat', encoding='ascii') as stream:
        return sum(map(int, stream.read().rsplit(')', 1)[1].split()[11:13]))


def stands_still(podctl, *names):
    before = [ticks(podctl, name) for name in names]
    time.sleep(0.3)
    return [ticks(podctl, name) for name in names] == before


def goes_on(podctl, name):
    before = ticks(podctl, name)
    return wait_for(lambda: ticks(podctl, name) > before)


def test_pause(podctl, image):
    busy(podctl, image, 'c')
    assert podctl('pause', 'c').out == 'c'
    assert stands_still(podctl, 'c')
    state = podctl.state('c')
    assert (state['Status'], state['Paused'], state['Running']) == ('paused', True, True)
    assert podctl.json('ps', '--format', 'json')[0]['State'] == 'paused' and 'Paused' in podctl('ps').stdout
    assert podctl('ps', '-q', '--filter', 'status=paused').out and not podctl('ps', '-q', '--filter', 'status=running').out
    for words in (('pause', 'c'), ('exec', 'c', 'true'), ('start', 'c'), ('restart', 'c')):
        assert 'paused' in podctl.fails(125, *words)
    assert 'paused' in podctl.fails(2, 'rm', 'c')
    podctl('unpause', 'c')
    assert goes_on(podctl, 'c') and podctl.state('c')['Status'] == 'running'
    assert 'not paused' in podctl.fails(125, 'unpause', 'c')
    remove(podctl, 'c')
    assert podctl.fails(125, 'pause', 'c')


def test_pause_needs_a_cgroup(podctl, image):
    sleeper(podctl, image, 'c', '--cgroups=disabled')
    assert 'cgroup' in podctl.fails(125, 'pause', 'c') and podctl.state('c')['Status'] == 'running'
    podctl('stop', '-t', '0', 'c')
    assert 'not running' in podctl.fails(125, 'pause', 'c')
    remove(podctl, 'c')


def test_pause_all(podctl, image):
    sleeper(podctl, image, 'a')
    sleeper(podctl, image, 'b')
    podctl('create', '--name', 'new', '--network=none', image, 'true')
    podctl('pause', 'a')
    assert podctl('pause', '--all').out == podctl.inspect('b')['Id']
    assert len(podctl('unpause', '--all').out.split()) == 2 and not podctl('unpause', '--all').out
    remove(podctl, 'a', 'b', 'new')


def sec_A14_3_what_is_paused_ends(podctl, image):
    """stop lets it answer, kill and rm need no answer; by the supervisor as well."""
    for words in (('stop', '-t', '20'), ('kill', '-s', 'KILL'), ('rm', '-f', '-t', '0')):
        sleeper(podctl, image, 'c')
        podctl('pause', 'c')
        begin = time.monotonic()
        podctl(*words, 'c')
        wait_for(lambda: 'c' not in podctl('ps', '--format', '{{.Names}}').out.split())
        assert time.monotonic() - begin < 5, words
        remove(podctl, 'c')
    sleeper(podctl, image, 'c')
    podctl('pause', 'c')
    os.kill(podctl.state('c')['ConmonPid'], 15)
    wait_for(lambda: podctl.state('c')['Status'] == 'exited', seconds=5)
    remove(podctl, 'c')


def test_pod_pause(podctl, image):
    podctl('pod', 'create', '--name', 'p', '--network=none')
    for name in ('a', 'b'):
        podctl('pod', 'add', '--name', name, 'p', image, 'sh', '-c', BUSY)
        wait_for(lambda name=name: ticks(podctl, name) > 0)
    podctl('pod', 'pause', 'p')
    assert stands_still(podctl, 'a', 'b')
    assert podctl.json('pod', 'ps', '--format', 'json')[0]['Status'] == 'Paused'
    podctl('pod', 'unpause', 'p')
    assert goes_on(podctl, 'a') and goes_on(podctl, 'b')
    podctl('pod', 'pause', 'p')
    podctl('pod', 'rm', '-f', '-t', '0', 'p')


def test_pause_under_kills(podctl, image):
    """Whenever pause is killed, unpause brings the container back."""
    busy(podctl, image, 'c')
    for delay in range(0, 20, 2):
        process = podctl.start('pause', 'c', stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay / 1000)
        process.kill()
        process.wait()
        podctl('unpause', 'c', check=False)
        assert goes_on(podctl, 'c'), delay
    remove(podctl, 'c')


def test_stats(podctl, image):
    busy(podctl, image, 'c')
    sleeper(podctl, image, 'idle')
    rows = {row['name']: row for row in json.loads(podctl('stats', '--no-stream', '--format', 'json').stdout)}
    assert set(rows) == {'c', 'idle'}
    row = rows['c']
    assert set(row) == {'id', 'name', 'cpu_time', 'cpu_percent', 'avg_cpu', 'mem_usage', 'mem_percent', 'net_io', 'block_io',
                        'pids'}
    assert row['id'] == podctl.inspect('c')['Id'][:12]
    assert float(row['cpu_percent'].rstrip('%')) > 0 and float(row['avg_cpu'].rstrip('%')) > 0

    def nsec(name):
        return int(podctl('stats', '--no-stream', '--format', '{{.CPUNano}}', name).out)
    wait_for(lambda: nsec('c') > 2 * nsec('idle'))
    lines = podctl('stats', '--no-stream', '--no-trunc', 'c').out.split('\n')
    assert len(lines) == 2 and lines[0].split()[:2] == ['ID', 'NAME'] and lines[1].startswith(podctl.inspect('c')['Id'])
    assert podctl('stats', '--no-stream', '--format', '{{.Name}} {{.NetIO}}', 'c').out == 'c 0B / 0B'
    remove(podctl, 'c', 'idle')


@without_controllers
def test_stats_without_controllers(podctl, image):
    """What nobody counts is --; a stopped one is shown with --all only."""
    sleeper(podctl, image, 'c')
    podctl('create', '--name', 'new', '--network=none', image, 'true')
    assert podctl('stats', '--no-stream', '--format', '{{.MemUsage}} {{.MemPerc}} {{.BlockIO}} {{.PIDS}}', 'c').out == \
        '-- / -- -- -- / -- --'
    assert podctl('stats', '--no-stream', '--format', '{{.Name}}').out == 'c'
    assert podctl('stats', '--no-stream', '--all', '--format', '{{.Name}} {{.CPUPerc}}').out.split('\n')[1] == 'new --'
    remove(podctl, 'c', 'new')


def test_stats_bad_input(podctl, image):
    assert 'interval' in podctl.fails(125, 'stats', '--interval=0')
    assert podctl.fails(125, 'stats', '--no-stream', 'nobody') and podctl.fails(125, 'pod', 'stats', '--no-stream', 'nobody')
    podctl.fails(125, 'stats', '--all', '--latest')
    podctl.fails(125, 'stats', '--all', 'x')


def test_stats_streams(podctl, image):
    """Again and again, also what starts meanwhile, until the reader goes."""
    sleeper(podctl, image, 'c')
    process = podctl.start('stats', '--interval=1', '--format', '{{.Name}}', stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'c\n'
    sleeper(podctl, image, 'd')
    seen = [process.stdout.readline() for _ in range(4)]
    assert 'd\n' in seen and seen.count('c\n') >= 2
    process.kill()
    process.stdout.close()
    process.wait()
    # those that were named end it by going
    process = podctl.start('stats', '--interval=1', '--format', '{{.Name}}', 'd', stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'd\n'
    remove(podctl, 'c', 'd')
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_stats_count_the_network(podctl, image):
    podctl('run', '-d', '--name', 'c', image, '/probe', 'sleep')
    podctl.ready('c')
    address = podctl.inspect('c')['NetworkSettings']['IPAddress']

    def received():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b'x' * 1000, (address, 9))
        return int(podctl('stats', '--no-stream', '--format', '{{.NetInput}}', 'c').out) > 1000
    wait_for(received)
    remove(podctl, 'c')


@contextlib.contextmanager
def open_directory(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def test_stats_take_no_lock(podctl, image):
    """A container that somebody has locked is looked at all the same."""
    sleeper(podctl, image, 'c')
    path = f'/run/podctl/containers/{podctl.inspect("c")["Id"]}'
    with open_directory(path) as directory:
        fcntl.flock(directory, fcntl.LOCK_EX)
        begin = time.monotonic()
        podctl('stats', '--no-stream', 'c')
        assert time.monotonic() - begin < 3
    remove(podctl, 'c')


def test_pod_stats(podctl, image):
    podctl('pod', 'create', '--name', 'p', '--network=none')
    for name in ('a', 'b'):
        podctl('pod', 'add', '--name', name, 'p', image, '/probe', 'sleep')
    rows = json.loads(podctl('pod', 'stats', '--no-stream', '--format', 'json').stdout)
    assert [row['Name'] for row in rows] == ['a', 'b']
    assert set(rows[0]) == {'Pod', 'CID', 'Name', 'CPU', 'MemUsage', 'MemUsageBytes', 'Mem', 'NetIO', 'BlockIO', 'PIDS'}
    pod = podctl.pod_inspect('p')['Id']
    assert {row['Pod'] for row in rows} == {pod[:12]}
    rows = json.loads(podctl('pod', 'stats', '--no-stream', '--sum', '--format', 'json', 'p').stdout)
    assert [(row['Name'], row['CID']) for row in rows] == [('p', '--')] and rows[0]['CPU'] != '--'
    podctl('pod', 'rm', '-f', '-t', '0', 'p')
    assert podctl('pod', 'stats', '--no-stream', '--format', '{{.Name}}').out == ''


def test_update_is_remembered(podctl, image):
    """What is changed while it does not run holds for its next start, and shows in inspect."""
    podctl('create', '--name', 'c', '--network=none', '--memory=1g', '--cpus=2', image, 'true')
    assert podctl('update', '--memory=64m', '--cpu-shares=512', '--cpuset-cpus=0', '--pids-limit=33', 'c').out == \
        podctl.inspect('c')['Id']
    config = podctl.inspect('c')['HostConfig']
    wanted = {'Memory': 64 << 20, 'MemorySwap': 128 << 20, 'NanoCpus': 2000000000, 'CpuShares': 512, 'CpusetCpus': '0',
              'PidsLimit': 33}
    assert {key: config[key] for key in wanted} == wanted
    # the new kind of processor limit takes the place of the old one
    podctl('update', '--cpu-quota=5000', 'c')
    config = podctl.inspect('c')['HostConfig']
    assert (config['NanoCpus'], config['CpuQuota'], config['Memory']) == (0, 5000, 64 << 20)
    # it has to go with what there is
    assert '--memory-reservation' in podctl.fails(125, 'update', '--memory-reservation=1g', 'c')
    assert podctl.fails(125, 'update', '--memory=1g', 'nobody')
    assert podctl.inspect('c')['HostConfig'] == config
    remove(podctl, 'c')


@without_controllers
def test_update_that_cannot_be_had_changes_nothing(podctl, image):
    pid = sleeper(podctl, image, 'c')
    before = podctl.inspect('c')['HostConfig']
    assert '"memory"' in podctl.fails(125, 'update', '--memory=64m', '--restart=always', 'c')
    assert podctl.inspect('c')['HostConfig'] == before and podctl.pid('c') == pid
    remove(podctl, 'c')


def test_update_restart(podctl, image):
    """The policy of a container that runs changes as well, there and back."""
    pid = sleeper(podctl, image, 'c')
    podctl('update', '--restart=always', 'c')
    assert podctl.inspect('c')['HostConfig']['RestartPolicy']['Name'] == 'always'
    os.kill(pid, 9)
    wait_for(lambda: podctl.pid('c') not in (0, pid))
    pid = podctl.pid('c')
    podctl('update', '--restart=no', 'c')
    os.kill(pid, 9)
    wait_for(lambda: podctl.state('c')['Status'] == 'exited')
    time.sleep(0.5)
    assert podctl.state('c')['Status'] == 'exited'
    assert 'sometimes' in podctl.fails(125, 'update', '--restart=sometimes', 'c')
    remove(podctl, 'c')


def test_limits_in_inspect(podctl, image):
    podctl('create', '--name', 'c', '--network=none', '--cgroup-conf=memory.oom.group=1', '--cgroup-parent=/a', image, 'true')
    config = podctl.inspect('c')['HostConfig']
    assert config['CgroupConf'] == {'memory.oom.group': '1'} and config['CgroupParent'] == '/a'
    assert (config['Memory'], config['PidsLimit'], config['BlkioWeightDevice']) == (0, 2048, [])
    remove(podctl, 'c')
    podctl('pod', 'create', '--name', 'p', '--memory=1g', '--cpu-shares=100')
    data = podctl.pod_inspect('p')
    assert data['memory_limit'] == 1 << 30 and data['cpu_shares'] == 100 and 'cpu_quota' not in data
    podctl('pod', 'rm', 'p')
