# SPDX-License-Identifier: LGPL-2.1-or-later
"""User namespaces: whose ids a container has, and whom its files belong to."""
import glob
import os
import subprocess
import time

import pytest

from lib.command import Podctl, namespace

FIRST = 400000
MAP = ('--uidmap', f'0:{FIRST}:65536')


def uid_map(pid, kind='uid'):
    with open(f'/proc/{pid}/{kind}_map', encoding='ascii') as stream:
        return [tuple(map(int, line.split())) for line in stream]


def run(podctl, image, *words, options=(), **more):
    return podctl('run', '--rm', '--network=none', *options, image, *words, **more)


def layer(podctl, name, kind='upper'):
    """The container's own layer on the disk."""
    found = glob.glob(f'/var/lib/podctl/**/{podctl.inspect(name)["Id"]}/**/{kind}', recursive=True)
    assert len(found) == 1, found
    return found[0]


def tree(path):
    """Owner, mode and change time of everything below path."""
    found = {}
    for where, directories, files in os.walk(path):
        for name in directories + files:
            full = os.path.join(where, name)
            info = os.lstat(full)
            found[full] = (info.st_uid, info.st_gid, info.st_mode, info.st_ctime_ns)
    return found


@pytest.fixture
def subids():
    """Sets the lines of /etc/subuid and /etc/subgid; puts back what was there."""
    paths = ('/etc/subuid', '/etc/subgid')
    before = {}
    for path in paths:
        try:
            with open(path, encoding='ascii') as stream:
                before[path] = stream.read()
        except FileNotFoundError:
            before[path] = None

    def put(users, groups=None):
        for path, text in zip(paths, (users, users if groups is None else groups)):
            if text is None:
                if os.path.lexists(path):
                    os.unlink(path)
                continue
            with open(path, 'w', encoding='ascii') as stream:
                stream.write(text)

    yield put
    put(before[paths[0]], before[paths[1]])
    for path in paths:
        if before[path] is None and os.path.lexists(path):
            os.unlink(path)


@pytest.fixture
def mapped(podctl, image):
    podctl('run', '-d', '--name', 'm1', '--network=none', *MAP, image, '/probe', 'sleep')
    podctl.ready('m1')
    yield 'm1'
    podctl('rm', '-f', '-i', '-t', '0', 'm1')


def sec_A10_6_all_namespaces_belong_to_it(podctl, mapped):
    pid = podctl.pid(mapped)
    assert uid_map(pid) == [(0, FIRST, 65536)]
    assert uid_map(pid, 'gid') == [(0, FIRST, 65536)]
    assert os.stat(f'/proc/{pid}').st_uid == FIRST
    for kind in ('user', 'pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup'):
        assert namespace(pid, kind) != namespace('self', kind), kind


def test_inspect_shows_the_maps(podctl, mapped):
    host = podctl.inspect(mapped)['HostConfig']
    assert host['UsernsMode'] == 'private'
    assert host['IDMappings'] == {'UidMap': [f'0:{FIRST}:65536'], 'GidMap': [f'0:{FIRST}:65536']}


def sec_A10_4_files_have_the_mapped_owner(podctl, image, tmp_path):
    os.chmod(tmp_path, 0o777)
    script = ('id -u; stat -c %u:%g / /bin/busybox /etc/passwd; touch /made /volume/made; '
              'echo more >>/etc/passwd; chown 1000:1000 /volume/made; stat -c %u /volume/made')
    podctl('create', '--name', 'f1', '--network=none', *MAP, '-v', f'{tmp_path}:/volume', image, 'sh', '-c', script)
    assert podctl('start', '-a', 'f1').stdout.split() == ['0', '0:0', '0:0', '0:0', '1000']
    upper = layer(podctl, 'f1')
    for name in ('', 'made', 'etc/passwd'):
        info = os.stat(os.path.join(upper, name))
        assert (info.st_uid, info.st_gid) == (FIRST, FIRST), name
    info = os.stat(tmp_path / 'made')
    assert (info.st_uid, info.st_gid) == (FIRST + 1000, FIRST + 1000)
    podctl('rm', 'f1')


def sec_A10_4_nothing_is_chowned(podctl, image):
    """The image's layers are the same before, while and after a container uses them."""
    podctl('create', '--name', 'l1', '--network=none', *MAP, image, '/probe', 'sleep')
    lower = glob.glob('/var/lib/podctl/layers/*') or glob.glob('/var/lib/podctl/*/layers/*')
    before = [tree(path) for path in lower]
    assert any(before)
    podctl('start', 'l1')
    podctl.ready('l1')
    podctl('exec', 'l1', 'chown', '-R', '5:5', '/www')
    assert [tree(path) for path in lower] == before
    podctl('rm', '-f', '-t', '0', 'l1')
    assert [tree(path) for path in lower] == before


def test_restart_keeps_owners(podctl, image):
    podctl('create', '--name', 'r1', '--network=none', *MAP, image, 'sh', '-c',
           'stat -c %u:%g /kept 2>/dev/null; touch /kept; chown 7:8 /kept; stat -c %u:%g /')
    assert podctl('start', '-a', 'r1').stdout.split() == ['0:0']
    assert podctl('start', '-a', 'r1').stdout.split() == ['7:8', '0:0']
    podctl('rm', 'r1')


def test_user_groups_and_devices(podctl, image):
    facts = podctl.facts('--network=none', *MAP, '--user', 'user')
    assert facts['uids'][0] == 1000
    result = run(podctl, image, 'sh', '-c', 'echo x >/dev/null && head -c 3 /dev/zero | wc -c; '
                 'mknod /tmp/n c 1 3 2>/dev/null || echo refused; cat /etc/hosts >/dev/null && echo hosts; '
                 'stat -c %u /etc/hosts', options=MAP)
    assert result.stdout.split() == ['3', 'refused', 'hosts', '0']


def test_a_terminal(podctl, image):
    result = run(podctl, image, 'sh', '-c', 'tty; stat -c %u /dev/console', options=['-t', *MAP])
    assert result.stdout.split() == ['/dev/console', '0'] or '/dev/pts/0' in result.stdout


def test_exec_is_inside(podctl, mapped):
    words = podctl('exec', mapped, 'sh', '-c', 'id -u; cat /proc/self/uid_map; touch /by-exec; id -u').stdout.split()
    assert words == ['0', '0', str(FIRST), '65536', '0']
    upper = layer(podctl, mapped)
    assert os.stat(f'{upper}/by-exec').st_uid == FIRST
    assert podctl('exec', '-u', '1000', mapped, 'id', '-u').out == '1000'


def test_limits_and_oom_score(podctl, image):
    options = [*MAP, '--ulimit', 'nofile=2000000:2000000', '--oom-score-adj', '500']
    result = run(podctl, image, 'sh', '-c', 'ulimit -n; cat /proc/self/oom_score_adj', options=options, check=False)
    if result.code:
        options[3] = 'nofile=100:200'
        result = run(podctl, image, 'sh', '-c', 'ulimit -n; cat /proc/self/oom_score_adj', options=options)
        assert result.stdout.split() == ['100', '500']
    else:
        assert result.stdout.split() == ['2000000', '500']


@pytest.mark.parametrize('modes', [['--pid=host'], ['--network=host'], ['--ipc=host'], ['--uts=host'],
                                   ['--cgroupns=host'], ['--pid=host', '--network=host', '--ipc=host', '--uts=host']])
def test_with_namespaces_of_the_host(podctl, image, modes):
    network = [] if '--network=host' in modes else ['--network=none']
    result = podctl('run', '--rm', *network, *modes, *MAP, image, 'sh', '-c',
                    'id -u; test -d /proc/1 && test -d /sys/class && echo both')
    assert result.stdout.split() == ['0', 'both']


def test_two_maps_and_flags(podctl, image):
    podctl('run', '-d', '--name', 'm2', '--network=none', '--uidmap', '0:400000:1000', '--uidmap', '1000:5:1',
           '--uidmap', '+10:77:1', '--gidmap', '0:@500000:100', image, '/probe', 'sleep')
    pid = podctl.pid('m2')
    assert sorted(uid_map(pid)) == [(0, 400000, 10), (10, 77, 1), (11, 400011, 989), (1000, 5, 1)]
    assert uid_map(pid, 'gid') == [(0, 500000, 100)]
    podctl('rm', '-f', '-t', '0', 'm2')


def test_keep_id(podctl, image):
    facts = podctl.facts('--network=none', '--userns=keep-id')
    assert facts['namespaces']['user'] != namespace('self', 'user')
    result = run(podctl, image, 'sh', '-c', 'id -u; id -g; cat /proc/self/uid_map',
                 options=['--userns=keep-id:uid=1000,gid=2000'])
    assert result.stdout.split()[:2] == ['1000', '2000']
    assert result.stdout.split()[2:4] == ['0', '0']


def test_names_of_subuid(podctl, image, subids):
    subids('someone:700000:65536\nmail:1:1\n', 'other:800000:1000\nsomeone:900000:5\n')
    result = run(podctl, image, 'cat', '/proc/self/uid_map', '/proc/self/gid_map', options=['--subuidname', 'someone'])
    assert result.stdout.split() == ['0', '700000', '65536', '0', '900000', '5']
    result = run(podctl, image, 'cat', '/proc/self/gid_map',
                 options=['--subuidname', 'someone', '--subgidname', 'other'])
    assert result.stdout.split() == ['0', '800000', '1000']
    podctl.fails(125, 'create', '--subuidname', 'nobody-here', image, 'true')


@pytest.mark.parametrize('users, says', [
    ('containers:100000:0\n', 'line 1'),
    ('containers:4294967290:10\n', 'line 1'),
    ('containers:100:50\ncontainers:120:10\n', 'twice'),
    ('containers:0:65536\n', 'line 1'),
    ('#c\ncontainers:abc:1\n', 'line 2'),
])
def vuln_B4_09_bad_subordinate_ids(podctl, image, subids, users, says):
    subids(users, 'containers:100000:65536\n')
    result = podctl.fails(125, 'create', '--name', 'b1', '--userns=auto', image, 'true')
    assert says in result and '/etc/subuid' in result
    assert podctl('container', 'exists', 'b1', check=False).code == 1


def vuln_B4_09_a_million_lines(podctl, image, subids):
    subids(''.join(f'u{i}:{i}:1\n' for i in range(1000000)) + 'containers:3000000000:65536\n')
    result = run(podctl, image, 'cat', '/proc/self/uid_map', options=['--userns=auto'], timeout=10)
    assert result.stdout.split() == ['0', '3000000000', '65536']


@pytest.mark.parametrize('options', [
    ['--uidmap', '0:1'.replace(':1', '')], ['--uidmap', '0:4294967295:1'], ['--uidmap', '0:4294967290:10'],
    ['--uidmap', '0:100:0'], ['--uidmap', '-1:100:1'], ['--uidmap', '0:0x10:1'], ['--uidmap', '0: 1:1'],
    ['--uidmap', '0:1:1:1'], ['--uidmap', '0:100:10', '--uidmap', '5:500:10'],
    ['--uidmap', '0:100:10', '--uidmap', '50:105:10'], ['--gidmap', 'x'], ['--uidmap', '+0:100:1'],
    ['--uidmap', '1:100:1'], ['--userns=bogus'], ['--userns=auto:size=0'], ['--userns=auto:size=x'],
    ['--userns=auto:bogus=1'], ['--userns=auto:uidmapping=0:1'.replace(':1', '')], ['--userns=keep-id:uid=x'],
    ['--userns=keep-id:uid=4294967295'], ['--userns=keep-id:foo=1'], ['--userns=private'], ['--userns=nomap'],
    ['--userns=host:1'], ['--userns=container:'], ['--userns=ns:relative'], ['--userns=ns:/etc/passwd'],
    ['--userns=auto', '--uidmap', '0:1:1'], ['--userns=keep-id', '--subuidname', 'x'], ['--subuidname', 'a:b'],
    ['--userns=container:no-such'],
])
def sec_A10_3_bad_values_are_refused(podctl, image, options):
    result = podctl.fails(125, 'run', '--rm', '--name', 'bad', '--network=none', *options, image, 'true')
    assert options[0].split('=')[0] in result or 'passwd' in result
    assert podctl('container', 'exists', 'bad', check=False).code == 1


@pytest.mark.limit(300)
def sec_A10_1_fifty_containers_share_no_id(podctl, image):
    """Half of them started at the same time; then some go, and their ids are given to others."""
    names = [f'a{i}' for i in range(50)]
    starts = [subprocess.Popen(Podctl().words('run', '-d', '--name', name, '--network=none', '--userns=auto', image,
                                              '/probe', 'sleep'), stdout=subprocess.DEVNULL) for name in names[:25]]
    assert [start.wait() for start in starts] == [0] * 25
    for name in names[25:]:
        podctl('run', '-d', '--name', name, '--network=none', '--userns=auto', image, '/probe', 'sleep')

    def ranges(which):
        return {name: uid_map(podctl.pid(name))[0] for name in which}

    def check_apart(found):
        spans = sorted((first, first + count) for _, first, count in found.values())
        assert all(end <= start for (_, end), (start, _) in zip(spans, spans[1:]))
        assert all(inside == 0 and count == 65536 for inside, _, count in found.values())
        assert spans[0][0] >= 65536

    before = ranges(names)
    check_apart(before)
    assert uid_map(podctl.pid('a7'), 'gid') == uid_map(podctl.pid('a7'))
    podctl('rm', '-f', '-t', '0', *names[10:20])
    for name in names[10:20]:
        podctl('run', '-d', '--name', name, '--network=none', '--userns=auto', image, '/probe', 'sleep')
    after = ranges(names)
    check_apart(after)
    assert {after[name] for name in names[10:20]} == {before[name] for name in names[10:20]}
    podctl('rm', '-f', '-t', '0', *names)


def sec_A10_1_ids_stay_with_the_container(podctl, image):
    podctl('create', '--name', 'k1', '--network=none', '--userns=auto', image, '/probe', 'sleep')
    podctl('start', 'k1')
    first = uid_map(podctl.pid('k1'))
    podctl('stop', '-t', '0', 'k1')
    other = run(podctl, image, 'cat', '/proc/self/uid_map', options=['--userns=auto']).stdout.split()
    podctl('start', 'k1')
    assert uid_map(podctl.pid('k1')) == first
    assert int(other[1]) != first[0][1]
    podctl('rm', '-f', '-t', '0', 'k1')


def test_auto_options(podctl, image, subids):
    subids('containers:100000:3000\n')
    result = run(podctl, image, 'cat', '/proc/self/uid_map', options=['--userns=auto:size=2000,uidmapping=5:7:1'])
    rows = [tuple(map(int, line.split())) for line in result.stdout.splitlines()]
    assert sorted(rows) == [(0, 100000, 5), (5, 7, 1), (6, 100006, 1994)]
    result = podctl.fails(125, 'create', '--userns=auto', image, 'true')
    assert 'ids are left' in result
    subids('containers:100000:3000\n', 'nobody:1:1\n')
    assert '/etc/subgid' in podctl.fails(125, 'create', '--userns=auto', image, 'true')


@pytest.fixture
def crafted(podctl, image, rootfs, tmp_path):
    """Makes an image out of the usual root file system and a change to it."""
    made = []

    def make(change):
        root = tmp_path / 'root'
        subprocess.run(['cp', '-a', rootfs, root], check=True)
        os.unlink(root / 'etc/passwd')
        change(root / 'etc/passwd')
        tar = tmp_path / 'root.tar'
        subprocess.run(['tar', '-C', root, '-cf', tar, '.'], check=True)
        podctl('image', 'import', tar, 'localhost/crafted:latest')
        made.append('localhost/crafted:latest')
        return made[0]

    yield make
    if made:
        podctl('image', 'rm', '-f', made[0])


def auto_size(podctl, image):
    begin = time.monotonic()
    result = run(podctl, image, 'cat', '/proc/self/uid_map', options=['--userns=auto', '--user', '0:0'], check=False)
    return time.monotonic() - begin, result


def vuln_B4_07_a_huge_passwd_is_not_read(podctl, crafted):
    def change(path):
        with open(path, 'w', encoding='ascii') as stream:
            stream.write('root:x:0:0::/:/bin/sh\n')
            stream.truncate(200 << 20)

    seconds, result = auto_size(podctl, crafted(change))
    assert result.code == 125 and '/etc/passwd' in result.stderr and seconds < 1, result


def vuln_B4_07_an_endless_line(podctl, crafted):
    seconds, result = auto_size(podctl, crafted(lambda path: path.write_text('root:x:' + '9' * 1000000)))
    assert result.code == 0 and result.stdout.split()[2] == '65536' and seconds < 1, result


@pytest.mark.parametrize('content, size', [
    ('root:x:0:0::/:/bin/sh\nbig:x:70000:5::/:\n', '70001'),
    ('root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:\nbad:x:-5:1::/:\nbad:x:99999999999:1::/:\n', '65536'),
    ('\n\n:::\nx:x:1048575:0::/:', '1048576'),
])
def sec_A10_1_as_many_as_the_image_needs(podctl, crafted, content, size):
    result = auto_size(podctl, crafted(lambda path: path.write_text(content)))[1]
    assert result.stdout.split()[2] == size, result


def vuln_B4_07_no_image_takes_all_ids(podctl, crafted):
    result = auto_size(podctl, crafted(lambda path: path.write_text('x:x:4294967294:0::/:\n')))[1]
    assert result.code == 125 and '4294967294' in result.stderr


def vuln_B4_08_links_to_the_host(podctl, crafted, tmp_path):
    """A link, a FIFO or a directory in place of /etc/passwd: no host file is opened, nothing waits."""
    canary = tmp_path / 'canary'
    os.mkfifo(canary)
    up = '../' * 20
    for target in (str(canary), f'{up}{canary}', '/proc/kmsg', '/dev/zero', '/dev/tty', 'passwd'):
        def change(path, target=target):
            if os.path.lexists(path):
                os.unlink(path)
            os.symlink(target, path)

        seconds, result = auto_size(podctl, crafted(change))
        assert seconds < 1, (target, seconds)
        assert result.code in (0, 125), result
        subprocess.run(['rm', '-rf', tmp_path / 'root'], check=True)
    for change in (os.mkfifo, os.mkdir):
        seconds, result = auto_size(podctl, crafted(change))
        assert result.code == 125 and seconds < 1, result
        subprocess.run(['rm', '-rf', tmp_path / 'root'], check=True)


def test_pods(podctl, image):
    podctl('pod', 'create', '--name', 'up', '--userns=auto')
    try:
        one = podctl.pid(podctl.pod_add('up', image, '/probe', 'sleep'))
        two = podctl.pid(podctl.pod_add('up', image, '/probe', 'sleep'))
        infra = podctl.infra_pid('up')
        for kind in ('user', 'net', 'ipc', 'uts'):
            assert namespace(one, kind) == namespace(infra, kind) == namespace(two, kind), kind
            assert namespace(one, kind) != namespace('self', kind)
        assert uid_map(one)[0][2] == 65536
        name = podctl.pod_add('up', image, 'sh', '-c', 'echo shared >/dev/shm/x; touch /made; sleep 1000')
    finally:
        podctl('pod', 'rm', '-f', '-t', '0', 'up')


@pytest.mark.parametrize('options', [['--userns=auto'], ['--uidmap', '0:1:10'], ['--subuidname', 'x']])
def test_a_member_has_its_pods(podctl, image, options):
    podctl('pod', 'create', '--name', 'pm')
    try:
        assert '--pod' in podctl.fails(125, 'create', '--pod', 'pm', *options, image, 'true')
    finally:
        podctl('pod', 'rm', '-f', '-t', '0', 'pm')


def test_a_pods_ids_are_freed(podctl):
    podctl('pod', 'create', '--name', 'f1', '--userns=auto')
    podctl('pod', 'start', 'f1')
    first = uid_map(podctl.infra_pid('f1'))
    podctl('pod', 'rm', '-f', 'f1')
    podctl('pod', 'create', '--name', 'f1', '--userns=auto')
    podctl('pod', 'start', 'f1')
    assert uid_map(podctl.infra_pid('f1')) == first
    podctl('pod', 'rm', '-f', 'f1')


def test_joining_another_containers(podctl, image, mapped):
    result = run(podctl, image, 'sh', '-c', 'cat /proc/self/uid_map; id -u; touch /made', options=[
        f'--userns=container:{mapped}'])
    assert result.stdout.split() == ['0', str(FIRST), '65536', '0']
    pid = podctl.pid(mapped)
    result = run(podctl, image, 'cat', '/proc/self/uid_map', options=[f'--userns=ns:/proc/{pid}/ns/user'])
    assert result.stdout.split() == ['0', str(FIRST), '65536']


def vuln_B2_19_flags_of_a_volume_hold(podctl, image, tmp_path):
    """What a volume must not be used for, it must not with mapped ids either."""
    os.chmod(tmp_path, 0o777)
    source = tmp_path / 'volume'
    source.mkdir()
    os.chmod(source, 0o777)
    with open('/bin/busybox', 'rb') as stream:
        (source / 'program').write_bytes(stream.read())
    os.chmod(source / 'program', 0o4755)
    os.mknod(source / 'node', 0o20666, os.makedev(1, 3))
    script = ('/v/program true && echo ran; /v/program id -u; echo x >/v/node || echo no node; '
              'mount -o remount,exec,suid,dev /v 2>/dev/null || echo no remount; grep " /v " /proc/mounts')
    for more in ([], MAP):
        result = run(podctl, image, 'sh', '-c', script, check=False,
                     options=[*more, '--user', '1000', '-v', f'{source}:/v:noexec'])
        assert 'ran' not in result.stdout and 'no node' in result.stdout and 'no remount' in result.stdout
        assert {'nosuid', 'nodev', 'noexec'} <= set(result.stdout.splitlines()[-1].split()[3].split(','))


def sec_A10_1_a_claim_of_nobody_is_free(podctl, image):
    """What a killed call has claimed is given to the next one; what is somebody's is not."""
    podctl('create', '--name', 'c1', '--network=none', '--userns=auto', image, 'true')
    claims = os.listdir('/var/lib/podctl/ids')
    assert len(claims) == 1
    name = claims[0]
    owner = os.readlink(f'/var/lib/podctl/ids/{name}')
    assert owner == f'containers/{podctl.inspect("c1")["Id"]}'
    first, count = map(int, name.split('-'))
    os.symlink('containers/' + '0' * 64, f'/var/lib/podctl/ids/{first + count}-{count}')
    podctl('create', '--name', 'c2', '--network=none', '--userns=auto', image, 'true')
    found = {entry: os.readlink(f'/var/lib/podctl/ids/{entry}') for entry in os.listdir('/var/lib/podctl/ids')}
    assert found == {name: owner, f'{first + count}-{count}': f'containers/{podctl.inspect("c2")["Id"]}'}
    podctl('rm', 'c1', 'c2')
    assert not os.listdir('/var/lib/podctl/ids')


def sec_A10_7_no_user_namespace_inside(podctl, image):
    result = run(podctl, image, 'sh', '-c', 'unshare -U true && echo made; unshare -m true && echo made; true',
                 options=['--userns=auto'])
    assert 'made' not in result.stdout


def sec_A10_6_the_supervisor_is_outside(podctl, mapped):
    with open(f'/proc/{podctl.pid(mapped)}/status', encoding='ascii') as stream:
        parent = next(line.split()[1] for line in stream if line.startswith('PPid'))
    assert namespace(parent, 'user') == namespace('self', 'user')
    assert namespace(parent, 'mnt') == namespace('self', 'mnt')


def test_privileged(podctl, image):
    result = run(podctl, image, 'sh', '-c', 'id -u; mkdir /m && mount -t tmpfs none /m && echo mounted; '
                 'hostname other && hostname; test -e /dev/null && echo x >/dev/null && echo device; '
                 'echo 1 >/proc/sys/kernel/sysrq 2>/dev/null || echo not the host',
                 options=['--privileged', *MAP])
    assert result.stdout.split('\n') == ['0', 'mounted', 'other', 'device', 'not the host', '']


def test_a_directory_as_root(podctl, image, rootfs, tmp_path):
    """On a file system that can map ids, or it is named."""
    root = tmp_path / 'root'
    subprocess.run(['cp', '-a', rootfs, root], check=True)
    script = 'stat -c %u /etc/passwd; touch /made && stat -c %u /made'
    result = podctl('run', '--rm', '--network=none', *MAP, '--rootfs', f'{root}:idmap', 'sh', '-c', script)
    assert result.stdout.split() == ['0', '0']
    # through the map both ways: on the disk it is root's, as all of the directory
    assert os.stat(root / 'made').st_uid == 0
    above = '/srv/root-on-overlay'
    subprocess.run(['cp', '-a', rootfs, above], check=True)
    try:
        words = podctl.fails(125, 'run', '--rm', '--network=none', *MAP, '--rootfs', f'{above}:idmap', 'true')
        assert 'cannot map the ids of' in words and above in words
    finally:
        subprocess.run(['rm', '-rf', above], check=True)


def test_sysctls_and_shm(podctl, image):
    result = run(podctl, image, 'sh', '-c', 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax; '
                 'touch /dev/shm/x && stat -c %u /dev/shm/x',
                 options=[*MAP, '--sysctl', 'net.ipv4.ip_forward=1', '--sysctl', 'kernel.shmmax=4097'])
    assert result.stdout.split() == ['1', '4097', '0']


def test_a_network_of_its_own(podctl, image):
    result = podctl('run', '--rm', '--userns=auto', image, 'sh', '-c', 'ip -o -4 addr show eth0 | wc -l; '
                    'ip link set eth0 down 2>/dev/null || echo refused')
    assert result.stdout.split() == ['1', 'refused']


def test_tmpfs_and_volumes(podctl, image, tmp_path):
    os.mkdir(tmp_path / 'v')
    result = run(podctl, image, 'sh', '-c', 'stat -c %u /t /v /i; touch /t/x /i/x && echo ok; touch /v/x || echo no',
                 check=False, options=[*MAP, '--tmpfs', '/t', '-v', f'{tmp_path}/v:/v', '-v', f'{tmp_path}/v:/i:idmap'])
    assert result.stdout.split() == ['0', '65534', '0', 'ok', 'no']
    assert os.stat(tmp_path / 'v/x').st_uid == 0


def test_processes_of_another_user_namespace(podctl, image):
    """They cannot be shown, and that is said; with their user namespace they can."""
    podctl('run', '-d', '--name', 'o1', '--network=none', image, '/probe', 'sleep')
    podctl('run', '-d', '--name', 'o2', '--network=none', *MAP, image, '/probe', 'sleep')
    assert 'another user namespace' in podctl.fails(125, 'run', '--rm', '--network=none', *MAP, '--pid=container:o1',
                                                    image, 'true')
    result = run(podctl, image, 'cat', '/proc/1/comm', options=['--pid=container:o2', '--userns=container:o2'])
    assert result.out == 'probe'
    podctl('rm', '-f', '-t', '0', 'o1', 'o2')
