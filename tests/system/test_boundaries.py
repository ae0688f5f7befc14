# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rows of the catalogue that fit nowhere else: maps, owners, cgroup files, resolv.conf, writes to procfs,
what inspect tells, checkpoints, and what a container's network leaves open. Named after the rows."""
import json
import os
import re
import subprocess
import time

import pytest

from lib import images
from lib.command import IS_PODMAN, wait_for

pytestmark = pytest.mark.skipif(IS_PODMAN, reason='compared by test_security.py')
NONE = '--network=none'
MAP = ('--uidmap', '0:100000:65536', '--gidmap', '0:200000:65536')


def shell(podctl, image, script, *options, **more):
    return podctl('run', '--rm', NONE, *options, image, 'sh', '-c', script, **more).stdout


# --- A10: maps and owners -----------------------------------------------------------------------

@pytest.mark.parametrize('rows', [
    ['0:4294967290:10'], ['4294967290:0:10'], ['0:100:0'], ['0:100:4294967296'], ['0:100:-1'], ['0:100:10', '5:500:10'],
    ['0:100:10', '20:105:10'], ['0:18446744073709551616:1'], ['0:1e3:1'], ['0: 5:1'], ['0:5:1:1'], ['0:0x5:1'],
    [f'{i}:{1000 + 2 * i}:1' for i in range(341)]], ids=lambda rows: rows[-1])
@pytest.mark.parametrize('kind', ['uid', 'gid'])
def sec_A10_2_bad_maps(podctl, image, kind, rows):
    """No overflow, no overlap on either side, a count of at least one, not more rows than the kernel takes."""
    words = [word for row in rows for word in (f'--{kind}map', row)]
    assert f'--{kind}map' in podctl.fails(125, 'create', '--name', 'bad', NONE, *words, image, 'true')
    assert podctl('container', 'exists', 'bad', check=False).code == 1


def sec_A10_2_written_once(podctl, image):
    """The maps are what was asked for, and nobody inside or outside can write them again."""
    podctl('run', '-d', '--name', 'c1', NONE, '--uidmap', '0:100000:1000', '--uidmap', '1000:300000:5', '--gidmap', '0:200000:9',
           image, '/probe', 'sleep')
    pid = podctl.pid('c1')
    for kind, wanted in (('uid', [[0, 100000, 1000], [1000, 300000, 5]]), ('gid', [[0, 200000, 9]])):
        with open(f'/proc/{pid}/{kind}_map', encoding='ascii') as stream:
            assert [list(map(int, line.split())) for line in stream] == wanted
        with pytest.raises(OSError), open(f'/proc/{pid}/{kind}_map', 'w', encoding='ascii') as stream:
            stream.write('0 0 1\n')
        assert podctl('exec', 'c1', 'sh', '-c', f'echo 0 0 1 >/proc/self/{kind}_map', check=False).code != 0
    podctl('rm', '-f', '-t', '0', 'c1')


@pytest.mark.parametrize('source', ['/', '/usr', '/etc', '/home', '/root', '/srv', '/usr/', '//etc', '/var/../etc', '/usr/.'])
def sec_A10_5_system_directories(podctl, image, source):
    """U would give a directory of the system to the container."""
    os.makedirs('/srv', exist_ok=True)
    before = os.stat(source), os.stat('/etc/passwd')
    text = podctl.fails(125, 'run', '--rm', NONE, *MAP, '-v', f'{source}:/v:U', image, 'true')
    assert 'owner' in text or 'directory of the system' in text, text
    after = os.stat(source), os.stat('/etc/passwd')
    assert [(info.st_uid, info.st_gid, info.st_ctime_ns) for info in before] == \
        [(info.st_uid, info.st_gid, info.st_ctime_ns) for info in after]


def sec_A10_5_other_mounts_are_left(podctl, image, tmp_path):
    """U stops at a mount in the tree, and does not follow its links."""
    tree, apart = tmp_path / 'tree', tmp_path / 'apart'
    for path in (tree / 'mount', tree / 'plain', apart):
        path.mkdir(parents=True)
    (apart / 'file').write_text('x')
    (tree / 'plain/file').write_text('x')
    os.symlink(apart, tree / 'link')
    subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', tree / 'mount'], check=True)
    try:
        (tree / 'mount/file').write_text('x')
        shell(podctl, image, 'true', *MAP, '-v', f'{tree}:/v:U')
        assert os.stat(tree / 'plain/file').st_uid == 100000
        assert os.stat(tree / 'mount/file').st_uid == os.stat(apart).st_uid == os.stat(apart / 'file').st_uid == 0
    finally:
        subprocess.run(['umount', tree / 'mount'], check=True)


# --- A14.4: cgroup files ------------------------------------------------------------------------

@pytest.mark.parametrize('options', [(), MAP, ('--cgroupns=host',), (*MAP, '--cgroupns=host'), ('--user', '1000'),
                                     ('--security-opt', 'unmask=/sys/fs/cgroup')], ids=lambda words: ' '.join(words) or 'default')
def sec_A14_4_nothing_is_delegated(podctl, image, options):
    """No file of a cgroup has the container's owner, so that it can neither move nor change itself."""
    podctl('run', '-d', '--name', 'c1', NONE, *options, image, '/probe', 'sleep')
    group = podctl.state('c1')['CgroupPath']
    if not group:
        podctl('rm', '-f', '-t', '0', 'c1')
        pytest.skip('no cgroups here')
    top = group if group.startswith('/sys/fs/cgroup') else f'/sys/fs/cgroup{group}'
    owners = {(os.stat(os.path.join(folder, name)).st_uid, os.stat(os.path.join(folder, name)).st_gid)
              for folder, _, names in os.walk(top) for name in names}
    assert owners == {(0, 0)}
    if '--security-opt' in options:  # asked for: writable, and still nobody's but root's
        podctl('rm', '-f', '-t', '0', 'c1')
        return
    for name in ('cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control', 'pids.max', 'memory.max'):
        assert podctl('exec', 'c1', 'sh', '-c', f'echo 0 >/sys/fs/cgroup/{name}', check=False).code != 0, name
    assert podctl('exec', 'c1', 'mkdir', '/sys/fs/cgroup/below', check=False).code != 0
    podctl('rm', '-f', '-t', '0', 'c1')


# --- A15.4: resolv.conf ---------------------------------------------------------------------------

@pytest.fixture
def resolver():
    """Sets the host's /etc/resolv.conf."""
    path, before = '/etc/resolv.conf', None
    if os.path.lexists(path):
        before = os.readlink(path) if os.path.islink(path) else open(path, 'rb').read()  # noqa: SIM115

    def put(data):
        if os.path.lexists(path):
            os.unlink(path)
        if isinstance(data, str):
            os.symlink(data, path)
        elif data is not None:
            with open(path, 'wb') as stream:
                stream.write(data)
    yield put
    put(before)


def sec_A15_4_is_written_anew(podctl, image, resolver):
    """Three servers, six domains, nothing that is no word of this file; loopback has no meaning inside."""
    resolver(b'# \x1b[31mcomment\nnameserver 127.0.0.53\nnameserver ::1\nnameserver 1.2.3.4 # x\nnameserver 1.2.3.400\n'
             b'nameserver fe80::1%eth0\nnameserver 5.6.7.8\nnameserver 2001:db8::1\nnameserver 9.9.9.9\nsearch a b c d e f g h\n'
             b'search \x1b]0;x\x07 $(id)\noptions ndots:2 \x01\nbogus line\nnameserver\nsortlist 1.1.1.1\n')
    text = podctl('run', '--rm', image, 'cat', '/etc/resolv.conf').stdout
    assert re.findall(r'^nameserver (.*)$', text, re.MULTILINE) == ['1.2.3.4', '5.6.7.8', '2001:db8::1'], text
    words = re.search(r'^search (.*)$', text, re.MULTILINE).group(1).split()
    assert words == list('abcdef')
    assert {line.split()[0] for line in text.strip().split('\n')} <= {'search', 'nameserver', 'options'} and '\x1b' not in text


@pytest.mark.parametrize('data', [b'x' * (1 << 20), b'nameserver 1.2.3.4\n' * 8000, b'search ' + b'a' * 60000 + b'\n', b'\0' * 100,
                                  b'search ' + b'a ' * 30000, b'nameserver 1.2.3.4\0nameserver', '/dev/zero', '/proc/kmsg', None],
                         ids=['long', 'many', 'long-word', 'zero', 'words', 'zero-inside', 'device', 'proc', 'missing'])
def sec_A15_4_limits(podctl, image, resolver, data):
    """Neither a huge file nor a strange one hangs a start, or comes through."""
    resolver(data)
    begin = time.monotonic()
    text = podctl('run', '--rm', image, 'cat', '/etc/resolv.conf', timeout=10).stdout
    assert time.monotonic() - begin < 5
    assert len(text) < 4096 and text.count('nameserver') <= 3 and max(map(len, text.split()), default=0) <= 256


# --- B2-06: writes to procfs ----------------------------------------------------------------------

def vuln_B2_06_writes_reach_only_what_was_meant(podctl, image, rootfs, tmp_path):
    """Links and files at the names of procfs, in the image and put there later: settings and scores are
    written to the kernel's own files, whatever lies at their names."""
    root, canary = tmp_path / 'root', tmp_path / 'canary'
    subprocess.run(['cp', '-a', rootfs, str(root)], check=True)
    canary.write_text('canary')
    precious = ('/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/proc/sys/net/ipv4/ip_default_ttl')
    before = [open(path, encoding='ascii').read() for path in precious[1:]]  # noqa: SIM115
    for folder in ('proc/self/attr', 'proc/sys/net/ipv4', 'proc/thread-self/attr', 'proc/1'):
        (root / folder).mkdir(parents=True)
    for name in ('self/oom_score_adj', 'self/attr/exec', 'self/uid_map', 'self/setgroups', 'sys/net/ipv4/ip_default_ttl',
                 'thread-self/attr/exec', '1/oom_score_adj'):
        os.symlink('/canary', root / 'proc' / name)
    (root / 'canary').write_text('canary')
    options = ('--sysctl', 'net.ipv4.ip_default_ttl=33', '--oom-score-adj', '123')
    script = 'cat /proc/sys/net/ipv4/ip_default_ttl /proc/self/oom_score_adj'
    for more in ((), MAP):
        out = podctl('run', '--rm', NONE, *options, *more, '--rootfs', root, 'sh', '-c', script).out
        assert out.split() == ['33', '123'], more
    # root in there with all capabilities covers them later: who joins is not led astray
    podctl('run', '-d', '--name', 'c1', NONE, '--privileged', *options, '--rootfs', root, 'sh', '-c',
           'mkdir /t; mount -t proc proc /t; for f in /proc/self/attr /proc/1; do mount -t tmpfs none $f 2>/dev/null; done; '
           'mount -t tmpfs none /proc; mkdir -p /proc/self/attr /proc/sys/net/ipv4; '
           'for f in self/oom_score_adj self/attr/exec self/uid_map self/setgroups self/cwd; do ln -s /canary /proc/$f; done; '
           'ln -s /t/sysrq-trigger /proc/sysrq; echo ready; exec sleep 100')
    wait_for(lambda: 'ready' in podctl('logs', 'c1').out)
    for more in ((), ('--privileged',), ('-u', 'user')):
        assert podctl('exec', *more, 'c1', 'sh', '-c', 'cat /t/$$/oom_score_adj').out == '123', more
    podctl('rm', '-f', '-t', '0', 'c1')
    assert (root / 'canary').read_text() == 'canary' and canary.read_text() == 'canary'
    assert [open(path, encoding='ascii').read() for path in precious[1:]] == before  # noqa: SIM115


# --- B7: what is told -----------------------------------------------------------------------------

def vuln_B7_08_inspect_tells_nothing_of_the_caller(podctl, image, tmp_path):
    """No command that shows shows the environment or the paths of whom made the thing."""
    (tmp_path / 'env').write_text('FROM_FILE=wanted\n')
    caller = {**os.environ, 'CANARY_A': 'canary-value', 'AWS_SECRET': 'canary-value', 'HTTP_PROXY': ''}
    home = tmp_path / 'canary-home'
    home.mkdir()
    podctl('pod', 'create', '--name', 'p1', env=caller, cwd=home)
    podctl('volume', 'create', 'v1', env=caller, cwd=home)
    podctl('run', '-d', '--name', 'c1', '--pod', 'p1', '-v', 'v1:/v', '--env-file', tmp_path / 'env', image, '/probe', 'sleep',
           env=caller, cwd=home)
    text = ''.join(podctl(*words, env=caller).stdout for words in (
        ('inspect', 'c1'), ('pod', 'inspect', 'p1'), ('volume', 'inspect', 'v1'), ('image', 'inspect', image), ('info',),
        ('ps', '-a', '--no-trunc', '--format', 'json'), ('pod', 'ps', '--format', 'json'), ('top', 'c1'), ('logs', 'c1')))
    podctl('pod', 'rm', '-f', '-t', '0', 'p1')
    podctl('volume', 'rm', 'v1')
    assert 'FROM_FILE=wanted' in text, 'the measure itself'
    assert 'canary' not in text and 'AWS_SECRET' not in text


def vuln_B7_10_checkpoints_are_nothing(podctl, image, rootfs_tar, tmp_path):
    """There is no restoring: files and labels of a checkpoint in an image change nothing of what was asked."""
    podctl.fails(125, 'container', 'restore', 'x')
    podctl.fails(125, 'container', 'checkpoint', 'x')
    spec = json.dumps({'process': {'user': {'uid': 0}, 'args': ['/evil']}, 'mounts': [{'source': '/', 'destination': '/host'}]})
    with open(rootfs_tar, 'rb') as stream:
        layers = [stream.read(), images.layer({'spec.dump': spec, 'config.dump': spec, 'checkpoint': None,
                                               'checkpoint/inventory.img': 'x', 'network.status': '{}', 'bind.mounts': '["/"]'})]
    labels = {'io.podman.annotations.checkpoint.name': 'evil', 'io.kubernetes.cri-o.annotations.checkpoint.name': 'evil',
              'io.podman.annotations.checkpoint.rootfsImageName': 'evil', 'org.criu.checkpoint.container.name': 'evil'}
    images.docker_archive(tmp_path / 'image.tar', 'localhost/checkpoint:1', layers, Labels=labels)
    podctl('image', 'load', '-i', tmp_path / 'image.tar')
    options = ('--user', '1000', '--read-only', '--cap-drop', 'all', '--hostname', 'asked')
    plain = podctl.facts(NONE, *options)
    found = podctl.facts(NONE, *options, image='localhost/checkpoint:1')
    podctl('image', 'rm', 'localhost/checkpoint:1')
    for key in ('CapBnd', 'CapEff', 'Seccomp', 'NoNewPrivs', 'uids', 'gids', 'hostname', 'env', 'cwd', 'rlimits'):
        assert found[key] == plain[key], key
    assert ' /host ' not in found['mountinfo']


# --- B11: networks --------------------------------------------------------------------------------

def sysctl(path):
    with open(f'/proc/sys/net/ipv6/conf/{path}', encoding='ascii') as stream:
        return stream.read().strip()


@pytest.mark.skipif(not os.path.isdir('/proc/sys/net/ipv6'), reason='a kernel without IPv6')
def vuln_B11_10_router_advertisements(podctl, image):
    """No interface of ours speaks IPv6, on either side, and the means to forge packets is not there."""
    podctl('run', '-d', '--name', 'c1', image, '/probe', 'sleep')
    listing = ''.join(subprocess.run(['ip', '-o', 'link', 'show', 'type', kind], capture_output=True, text=True, check=True).stdout
                      for kind in ('bridge', 'veth'))
    ours = re.findall(r'^\d+: ([^@:]+)', listing, re.MULTILINE)
    states = {name: sysctl(f'{name}/disable_ipv6') for name in ours}
    if len(ours) < 2 or set(states.values()) != {'1'}:
        podctl('rm', '-f', '-t', '0', 'c1')
    assert len(ours) >= 2 and set(states.values()) == {'1'}, states
    assert podctl('exec', 'c1', 'cat', '/proc/sys/net/ipv6/conf/eth0/disable_ipv6').out == '1'
    assert podctl('exec', 'c1', 'sh', '-c', 'ip -6 addr show dev eth0').out == ''
    facts = podctl.exec_facts('c1')
    podctl('rm', '-f', '-t', '0', 'c1')
    assert not int(facts['CapBnd'], 16) & (1 << 12 | 1 << 13)


@pytest.mark.parametrize('path', ['/etc/passwd', '/', '/dev/null', '/proc/self/ns/mnt', '/proc/self/ns/user', '/proc/1/ns', 'relative',
                                  '/no/such', '', '/proc/self/ns/net/../mnt'])
def vuln_B11_17_only_network_namespaces_are_joined(podctl, image, path):
    before = os.readlink('/proc/self/ns/net'), sorted(os.listdir('/proc/sys/net/ipv4/conf'))
    result = podctl('run', '--rm', f'--network=ns:{path}', image, 'true', check=False)
    assert result.code == 125 and len(result.stderr.strip().split('\n')) == 1, result
    assert before == (os.readlink('/proc/self/ns/net'), sorted(os.listdir('/proc/sys/net/ipv4/conf')))


def vuln_B11_17_a_joined_namespace_stays_as_it_is(podctl, image):
    """Nothing is set up or torn down in a namespace that somebody else has made."""
    holder = subprocess.Popen(['unshare', '--net', 'sleep', '100'])
    try:
        path = f'/proc/{holder.pid}/ns/net'
        wait_for(lambda: os.readlink(path) != os.readlink('/proc/self/ns/net'))

        def seen():
            return subprocess.run(['nsenter', f'--net={path}', 'ip', 'addr'], capture_output=True, text=True, check=True).stdout
        before = seen()
        assert podctl('run', '--rm', f'--network=ns:{path}', image, 'readlink', '/proc/self/ns/net').out == os.readlink(path)
        assert seen() == before
    finally:
        holder.kill()
        holder.wait()


def vuln_B11_19_an_address_rests(podctl, image):
    """The address of a container that has gone is not the next one's: old peers do not reach a stranger."""
    def address():
        return re.search(r'inet (10\.\S+)/', podctl('run', '--rm', image, 'ip', '-4', 'addr', 'show', 'dev', 'eth0').out).group(1)
    podctl('run', '-d', '--name', 'keeper', image, '/probe', 'sleep')  # the network stays
    found = [address() for _ in range(8)]
    podctl('rm', '-f', '-t', '0', 'keeper')
    assert len(set(found)) == 8, found
