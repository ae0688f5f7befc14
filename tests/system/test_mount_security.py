# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mounts and paths against images and containers that fight back: links at every destination, names exchanged while
others start. Names are the rows of the catalogue."""
import json
import os
import shutil
import subprocess

import pytest

from lib.command import IMAGE, IS_PODMAN, wait_for
from lib.programs import build

FULL = bool(os.environ.get('PODCTL_TEST_FULL'))
# Starts for each id, over all its variants: a few hundred together in a short run.
STARTS = 10000 if FULL else 60
# What no start may change: the host's own names and the settings that a redirected write would reach.
PLACES = ('/', '/etc', '/root', '/dev', '/usr', '/usr/bin', '/home', '/srv', '/mnt', '/opt')
SETTINGS = [path for path in ('/proc/sys/kernel/core_pattern', '/proc/sys/kernel/modprobe', '/proc/sys/kernel/hostname')
            if os.path.exists(path)]

pytestmark = [pytest.mark.skipif(IS_PODMAN, reason='podctl is stricter here'), pytest.mark.limit(7200 if FULL else 240)]


def host_mounts():
    with open('/proc/self/mountinfo', encoding='utf-8') as stream:
        return sorted(line.split()[4] for line in stream)


def host_state():
    state = {place: sorted(os.listdir(place)) for place in PLACES if os.path.isdir(place)}
    for path in SETTINGS:
        with open(path, encoding='utf-8') as stream:
            state[path] = stream.read()
    state['mounts'] = host_mounts()
    return state


@pytest.fixture
def outside(tmp_path):
    """A directory of the host that no container may read or change; with it, the host itself."""
    path = tmp_path / 'outside'
    path.mkdir()
    (path / 'f').write_text('canary')
    (path / 'sub').mkdir()
    before = host_state()
    status = os.stat(path)
    yield path
    assert sorted(os.listdir(path)) == ['f', 'sub'] and os.listdir(path / 'sub') == []
    assert (path / 'f').read_text() == 'canary'
    after = os.stat(path)
    assert (after.st_uid, after.st_mode, after.st_mtime_ns) == (status.st_uid, status.st_mode, status.st_mtime_ns)
    assert host_state() == before


@pytest.fixture
def root(rootfs, tmp_path):
    """A root file system of one's own to spoil."""
    path = tmp_path / 'root'
    subprocess.run(['cp', '-a', rootfs, str(path)], check=True)
    return path


@pytest.fixture
def racer(podctl, image, tmp_path):
    """start(names...): a container that exchanges pairs of names in the shared directory until the end."""
    shared = tmp_path / 'shared'
    shared.mkdir()
    shutil.copy(build('exchange'), shared / '.exchange')

    def start(*names):
        podctl('run', '-d', '--name', 'racer', '--network=none', '-v', f'{shared}:/v', IMAGE, '/v/.exchange',
               *(f'/v/{name}' for name in names))
        # it is at work: the name changes its inode
        seen = set()
        wait_for(lambda: seen.add(os.lstat(shared / names[0]).st_ino) or len(seen) > 1, every=0)
        return shared

    start.shared = shared
    yield start
    podctl('rm', '-f', '-t', '0', 'racer')


def run(podctl, script, *options, check=False):
    return podctl('run', '--rm', '--network=none', *options, IMAGE, 'sh', '-c', script, check=check)


def repeat(podctl, script, *options, variants, judge=lambda text: None):
    """Starts: each runs or is refused, and some of them do run."""
    good = tries = 0
    # few starts may all meet the link: then some more
    while tries < STARTS // variants or (not good and tries < 300):
        tries += 1
        result = run(podctl, script, *options)
        if result.code == 0:
            good += 1
            judge(result.stdout)
        else:
            assert result.code in (1, 125, 126, 127), repr(result)
    assert good, 'no start came through'


def mount_points(text):
    return [line.split()[4] for line in text.split('\n') if ' - ' in line]


# --- races ---


@pytest.mark.parametrize('target', ['/', '{outside}', '../../../../../../../..{outside}', '/proc/1/root',
                                    '/proc/self/cwd/../..{outside}'])
def vuln_B2_01_destination_swapped_for_a_link(podctl, racer, outside, tmp_path, target):
    (racer.shared / 'd').mkdir()
    os.symlink(target.format(outside=outside), racer.shared / 'l')
    source = tmp_path / 'source'
    source.mkdir()
    racer('d', 'l')

    def judge(text):
        for point in mount_points(text):
            assert point == '/' or point.startswith(
                ('/v', '/x', '/y', str(outside), '/proc', '/sys', '/dev', '/etc', '/run')), point

    shared = racer.shared
    repeat(podctl, 'cat /proc/self/mountinfo', '-v', f'{shared}:/v', '--tmpfs', '/v/d/x', '-v', f'{source}:/v/d/y',
           variants=5, judge=judge)


def vuln_B2_04_forged_null_device(podctl, racer, outside):
    (racer.shared / 'null').write_text('')
    os.symlink('/proc/sys/kernel/core_pattern', racer.shared / 'other')
    racer('null', 'other')

    def judge(text):
        words = text.split()
        assert set(words) == {'1:3'}, text

    # whatever the container's /dev/null is, masks are the host's
    repeat(podctl, 'stat -c %t:%T /proc/kcore /proc/keys; '
           '(echo x >/proc/sys/kernel/core_pattern) 2>/proc/self/fd/2 && echo written; '
           '(echo h >/proc/sysrq-trigger) && echo written; true', '-v', f'{racer.shared}:/dev', variants=1, judge=judge)


@pytest.mark.parametrize('place', ['/dev', '/dev/pts'])
def vuln_B2_05_forged_console(podctl, racer, outside, place):
    for name in ('0', 'ptmx', 'console'):
        (racer.shared / name).write_text('')
    os.symlink('/proc/sys/kernel/core_pattern', racer.shared / 'other')
    racer('0', 'other', 'console', 'other')

    def judge(text):
        words = text.split()
        # our own devpts: a character device of major 136; or nothing at all in a /dev of the user's
        assert words[0].startswith('88:') or place == '/dev', text
        assert words[-1] == 'tty', text

    repeat(podctl, 'stat -c %t:%T /dev/console 2>/dev/fd/1 | head -1; [ -t 0 ] && echo tty', '-t', '-v',
           f'{racer.shared}:{place}', variants=2, judge=judge)


@pytest.mark.parametrize('target', ['{outside}', '../../../../../../../..{outside}', '/'])
def vuln_B2_08_missing_destination(podctl, racer, outside, tmp_path, target):
    for name in ('d', 'd/a', 'd/a/b'):
        (racer.shared / name).mkdir()
    os.symlink(target.format(outside=outside), racer.shared / 'l')
    os.symlink(target.format(outside=outside), racer.shared / 'd/m')
    file = tmp_path / 'file'
    file.write_text('x')
    racer('d', 'l', 'd/a', 'd/m', 'd/a/b', 'd/m')
    repeat(podctl, 'true', '-v', f'{racer.shared}:/v', '--tmpfs', '/v/d/a/b/c/d', '-v', f'{file}:/v/d/a/e/f',
           variants=3)


@pytest.mark.parametrize('target', ['{outside}', '../../../../../../../../../../..{outside}', '/'])
def vuln_B2_12_subpath_swapped_for_a_link(podctl, image, outside, target):
    podctl('volume', 'create', 'data')
    data = podctl.json('volume', 'inspect', 'data')[0]['Mountpoint']
    os.makedirs(f'{data}/a/b')
    with open(f'{data}/a/b/f', 'w', encoding='ascii') as stream:
        stream.write('inside')
    os.symlink(target.format(outside=outside), f'{data}/l')
    # the link leads to a directory "b" outside as well
    shutil.copy(build('exchange'), f'{data}/.exchange')
    podctl('run', '-d', '--name', 'racer', '--network=none', '-v', 'data:/v', IMAGE, '/v/.exchange', '/v/a', '/v/l')
    seen = []
    try:
        for _ in range(STARTS // 9):
            for subpath in ('a/b', 'a', 'a/sub'):
                result = run(podctl, 'cat /n/f /n/b/f 2>/dev/null; true', '--mount',
                             f'type=volume,src=data,dst=/n,subpath={subpath}')
                assert 'canary' not in result.stdout and 'root:' not in result.stdout, repr(result)
                seen.append(result.code)
    finally:
        podctl('rm', '-f', '-t', '0', 'racer')
        podctl('volume', 'rm', 'data')
    assert 0 in seen


def vuln_B2_12_bad_subpath(podctl, image):
    for subpath in ('..', '/abs', 'a/../../x', '../x', 'a/..'):
        podctl.fails(125, 'create', '--mount', f'type=volume,src=data,dst=/n,subpath={subpath}', IMAGE, 'true')
    assert podctl('volume', 'exists', 'data', check=False).code == 1


def vuln_B2_18_no_moment_before_read_only(podctl, racer, outside, tmp_path):
    (racer.shared / 'd').mkdir()
    (racer.shared / 'e').mkdir()
    source = tmp_path / 'source'
    source.mkdir()
    racer('d', 'e')
    for _ in range(STARTS):
        result = run(podctl, '(echo x >/v/d/f) 2>/dev/null && echo written; (echo x >/w/f) 2>/dev/null && echo written; '
                     'true', '-v', f'{racer.shared}:/v', '-v', f'{source}:/v/d:ro', '-v', f'{source}:/w:ro')
        assert os.listdir(source) == [], repr(result)


@pytest.mark.parametrize('target', ['/proc/1/root', '/proc/1/root{outside}', '/proc/self/fd/3', '/proc/self/root/..',
                                    '/proc/self/cwd', '/oldroot{outside}', '/.oldroot'])
def vuln_B2_22_links_into_the_old_root(podctl, racer, outside, tmp_path, target):
    (racer.shared / 'd').mkdir()
    os.symlink(target.format(outside=outside), racer.shared / 'l')
    source = tmp_path / 'source'
    source.mkdir()
    for options in (('--tmpfs', '/v/l/x'), ('-v', f'{source}:/v/l/y'), ('-v', f'{source}:/v/l')):
        run(podctl, 'true', '-v', f'{racer.shared}:/v', *options)
    racer('d', 'l')
    repeat(podctl, 'true', '-v', f'{racer.shared}:/v', '--tmpfs', '/v/d/x', '-v', f'{source}:/v/d/y', variants=7)


# --- images ---


LINKS = ['{outside}', '../..{outside}', '../../../../../../../..{outside}', '/', '/..', '.', '..', '/etc', 'etc',
         '/proc', '/proc/self/fd', '/proc/1/root', '/proc/self/cwd', '/proc/self/exe', '/sys', '/dev', '/nosuch',
         '/nosuch/deep', 'self', 'other', '{outside}/sub', '{outside}/new', '../../../../../..{outside}/new', '/tmp/../..',
         '//', '/./', '/proc/thread-self/root{outside}', '/dev/fd/3', '/dev/stdin', 'a/b/../../../..{outside}']


def plant(root, path, target, outside):
    """A link at a path of the root, in the place of what was there."""
    full = root / path.lstrip('/')
    if full.is_symlink() or full.is_file():
        full.unlink()
    elif full.is_dir():
        shutil.rmtree(full)
    os.symlink(target.format(outside=outside), full)


def start_in(podctl, root, *options, script='true', check=False):
    return podctl('run', '--rm', '--network=none', *options, '--rootfs', root, '/bin/sh', '-c', script, check=check)


@pytest.mark.parametrize('place', ['/proc', '/sys', '/dev', '/sys/fs', '/proc/sys', '/sys/fs/cgroup'])
def vuln_B2_03_places_of_the_runtime_as_links(podctl, image, root, outside, place):
    if place.count('/') > 1:
        (root / place.lstrip('/')).parent.mkdir(parents=True, exist_ok=True)
    for number in range(41):
        os.symlink(f'chain{number + 1}' if number < 40 else '/tmp', root / f'chain{number}')
    for target in [*LINKS, 'chain0', place.rsplit('/', 1)[1]]:
        plant(root, place, target, outside)
        result = start_in(podctl, root, script='cat /proc/self/mountinfo')
        # what is hidden below a real mount does no harm
        if place in ('/proc', '/sys', '/dev'):
            assert result.code == 125 and f'"{place}"' in result.stderr, (target, repr(result))
        else:
            assert result.code == 0, (target, repr(result))
    full = root / place.lstrip('/')
    full.unlink()
    full.write_text('a file')
    result = start_in(podctl, root)
    assert (result.code == 125) == (place in ('/proc', '/sys', '/dev')), repr(result)
    full.unlink()
    assert start_in(podctl, root).code == 0


@pytest.mark.parametrize('place', ['/dev', '/dev/pts', '/dev/shm', '/dev/ptmx', '/dev/console', '/dev/null', '/dev/fd'])
@pytest.mark.parametrize('options', [(), ('-t',), ('--device', '/dev/fuse'), ('--uidmap', '0:100000:65536')])
def vuln_B2_07_dev_as_a_link(podctl, image, root, outside, place, options):
    for target in ('{outside}', '../../../../../../../..{outside}', '/tmp/x', '../../../../..{outside}/sub'):
        plant(root, place, target, outside)
        (root / 'tmp/x').mkdir(exist_ok=True)
        result = start_in(podctl, root, *options, script='ls /dev')
        if place == '/dev':
            assert result.code == 125, repr(result)
        else:
            assert result.code == 0 and 'urandom' in result.stdout, repr(result)
        assert os.listdir(root / 'tmp/x') == []


def vuln_B2_07_own_dev_stays_as_it_is(podctl, image, outside, tmp_path):
    dev = tmp_path / 'dev'
    dev.mkdir()
    for options in ((), ('-t',), ('--read-only',), ('--device', '/dev/fuse')):
        assert run(podctl, 'ls -a /dev', '-v', f'{dev}:/dev', *options, check=True).out.split() == ['.', '..']
        assert os.listdir(dev) == []


KINDS = {
    'bind-directory': ('-v', '{source}:/link'),
    'bind-file': ('-v', '{source}/file:/link'),
    'below-bind': ('-v', '{source}:/link/deep/er'),
    'below-file': ('-v', '{source}/file:/link/deep/file'),
    'tmpfs': ('--tmpfs', '/link'),
    'below-tmpfs': ('--tmpfs', '/link/deep/er'),
    'devpts': ('--mount', 'type=devpts,dst=/link'),
    'volume': ('-v', '/link'),
    'image': ('--mount', f'type=image,src={IMAGE},dst=/link'),
    'device': ('--device', '/dev/null:/link'),
    'overlay': ('-v', '{source}:/link/x:O'),
}


@pytest.mark.parametrize('kind', KINDS)
def vuln_B2_09_links_as_destinations(podctl, image, root, outside, tmp_path, kind):
    source = tmp_path / 'source'
    source.mkdir()
    (source / 'file').write_text('source')
    os.symlink('link', root / 'other')
    options = [word.format(source=source) for word in KINDS[kind]]
    codes = set()
    for target in LINKS:
        plant(root, '/link', 'link' if target == 'self' else target, outside)
        result = start_in(podctl, root, *options)
        assert result.code in (0, 125, 126, 127), (target, repr(result))
        codes.add(result.code)
    # a directory that the user puts on /etc gets the places of the files that come on top, as with podman
    made = set(os.listdir(source)) - {'file'}
    assert made <= {'hosts', 'hostname', 'resolv.conf', '.containerenv'} and kind == 'bind-directory' or not made, made
    assert (source / 'file').read_text() == 'source' and all((source / name).read_text() == '' for name in made)
    assert 0 in codes


@pytest.mark.parametrize('place', ['/etc', '/run', '/etc/hosts', '/etc/resolv.conf', '/etc/hostname',
                                   '/run/.containerenv', '/run/notify', '/etc/mtab', '/etc/localtime', '/run/secrets'])
def vuln_B2_16_convenience_files_through_links(podctl, image, root, outside, place):
    for target in ('{outside}', '../../../../../../../..{outside}', '{outside}/f', '../../../../..{outside}/new',
                   '/proc/1/root{outside}', '/proc/sys/kernel/core_pattern'):
        plant(root, place, target, outside)
        for options in ((), ('--read-only',), ('--sdnotify=container',), ('--user', '1000')):
            # without its shell's libraries in /etc nothing is missing: busybox is static
            result = start_in(podctl, root, *options)
            assert result.code in (0, 125), repr(result)


@pytest.mark.parametrize('user', ['0', '1234'])
@pytest.mark.parametrize('workdir', ['/symlink/X', '/symlink/../X', '/a/b/X', '/symlink'])
def vuln_B2_10_working_directory_below_a_link(podctl, image, rootfs, outside, tmp_path, user, workdir):
    root = tmp_path / 'image'
    subprocess.run(['cp', '-a', rootfs, str(root)], check=True)
    os.symlink(f'../../../../../../../..{outside}', root / 'symlink')
    (root / 'a').mkdir()
    os.symlink('../symlink', root / 'a/b')
    (root / str(outside).lstrip('/')).mkdir(parents=True)
    tar = str(tmp_path / 'image.tar')
    subprocess.run(['tar', '-C', str(root), '-cf', tar, '.'], check=True)
    podctl('image', 'import', '--change', f'WORKDIR {workdir}', '--change', f'USER {user}', tar, 'localhost/workdir')
    result = podctl('run', '--rm', '--network=none', 'localhost/workdir', '/bin/sh', '-c', 'pwd; stat -c %u .',
                    check=False)
    podctl('image', 'rm', 'localhost/workdir')
    assert result.code in (0, 125, 126), repr(result)
    if result.code == 0:
        assert result.out.split()[1] in (user, '0'), repr(result)


@pytest.mark.parametrize('path', ['/proc', '/proc/self', '/sys', '/dev', '/dev/pts', '/', '/../proc', '/a/../dev/shm'])
def vuln_B2_02_image_volume_on_a_place_of_the_runtime(podctl, image, rootfs_tar, path):
    podctl('image', 'import', '--change', f'VOLUME ["{path}"]', rootfs_tar, 'localhost/traversal')
    line = podctl.fails(125, 'run', '--rm', '--network=none', 'localhost/traversal', 'true')
    assert 'volume' in line, line
    assert podctl('run', '--rm', '--network=none', '--image-volume=ignore', 'localhost/traversal', 'echo', 'x').out == 'x'
    podctl('image', 'rm', 'localhost/traversal')
    assert podctl('volume', 'ls', '-q').out == ''


@pytest.mark.parametrize('path', ['/proc', '/proc/self', '/proc/sys/kernel', '/proc/1/attr/current', '/../proc/x'])
def vuln_B2_02_volume_on_proc(podctl, image, path):
    podctl('volume', 'create', 'data')
    podctl.fails(125, 'run', '--rm', '--network=none', '-v', f'data:{path}', image, 'true')
    podctl('volume', 'rm', 'data')


@pytest.mark.parametrize('path', ['/../../etc', '/a/../../etc', '/link/etc', '/link2'])
def vuln_B2_15_image_volume_with_traversal(podctl, image, rootfs, outside, tmp_path, path):
    root = tmp_path / 'image'
    subprocess.run(['cp', '-a', rootfs, str(root)], check=True)
    os.symlink('../../../../..', root / 'link')
    os.symlink(f'../../../../../../..{outside}', root / 'link2')
    (root / 'etc/only-in-the-image').write_text('x')
    tar = str(tmp_path / 'image.tar')
    subprocess.run(['tar', '-C', str(root), '-cf', tar, '.'], check=True)
    podctl('image', 'import', '--change', f'VOLUME ["{path}"]', tar, 'localhost/traversal')
    podctl('create', '--name', 'c1', '--network=none', 'localhost/traversal', 'true')
    podctl('start', '-a', 'c1')
    name = podctl('volume', 'ls', '-q').out
    data = podctl.json('volume', 'inspect', name)[0]['Mountpoint']
    names = os.listdir(data)
    podctl('rm', '-v', 'c1')
    podctl('image', 'rm', 'localhost/traversal')
    assert 'f' not in names and 'fstab' not in names and 'shadow' not in names, names
    assert path == '/link2' or 'only-in-the-image' in names, names


def vuln_B2_14_a_filled_volume_is_left_alone(podctl, image):
    podctl('volume', 'create', 'data')
    data = podctl.json('volume', 'inspect', 'data')[0]['Mountpoint']
    with open(f'{data}/index.html', 'w', encoding='ascii') as stream:
        stream.write('own')
    for word in ('ro', 'rw', 'nocopy'):
        run(podctl, 'true', '-v', f'data:/www:{word}', check=True)
        assert os.listdir(data) == ['index.html']
        with open(f'{data}/index.html', encoding='ascii') as stream:
            assert stream.read() == 'own'
    podctl('volume', 'rm', 'data')


# --- propagation and the old root ---


@pytest.fixture
def host_mount(tmp_path):
    """mount(kind): a mount of the host, "private" or "shared"."""
    path = tmp_path / 'host'
    path.mkdir()
    subprocess.run(['mount', '-t', 'tmpfs', 'test', str(path)], check=True)

    def make(kind):
        subprocess.run(['mount', f'--make-{kind}', str(path)], check=True)
        return path

    yield make
    subprocess.run(['umount', '-R', str(path)], check=True)


def sec_A07_5_shared_only_from_a_shared_source(podctl, image, host_mount):
    path = host_mount('private')
    for word in ('shared', 'rshared', 'slave', 'rslave'):
        line = podctl.fails(125, 'run', '--rm', '--network=none', '-v', f'{path}:/m:{word}', image, 'true')
        assert 'shared' in line and str(path) in line
    host_mount('shared')
    for word, wanted in (('rshared', 'shared:'), ('rslave', 'master:'), ('rprivate', None), ('unbindable', 'unbindable')):
        text = run(podctl, 'grep " /m " /proc/self/mountinfo', '-v', f'{path}:/m:{word}', check=True).out
        peers = text.split(' - ')[0].split()[6:]
        assert peers == [] if wanted is None else [word for word in peers if word.startswith(wanted)], (word, text)


def vuln_B2_20_a_mount_of_the_container_stays_there(podctl, image, host_mount):
    path = host_mount('shared')
    (path / 'in').mkdir()
    (path / 'out').mkdir()
    before = host_mounts()
    for word in ('rprivate', 'rslave'):
        podctl('run', '-d', '--name', 'c1', '--network=none', '--privileged', '-v', f'{path}:/m:{word}', image, 'sh', '-c',
               'for i in $(seq 100); do mount -t tmpfs x /m/in; done; touch /m/in/inside; sleep 1000')
        podctl('exec', 'c1', 'sh', '-c', 'until [ -e /m/in/inside ]; do sleep 0.05; done')
        assert host_mounts() == before, word
        assert not (path / 'in/inside').exists()
        subprocess.run(['mount', '-t', 'tmpfs', 'test', str(path / 'out')], check=True)
        (path / 'out/outside').write_text('')
        seen = podctl('exec', 'c1', 'ls', '/m/out').out
        subprocess.run(['umount', str(path / 'out')], check=True)
        podctl('rm', '-f', '-t', '0', 'c1')
        assert seen == ('outside' if word == 'rslave' else ''), word
    assert host_mounts() == before


def sec_A07_1_the_hosts_mounts_are_the_same_before_during_and_after(podctl, image, host_mount, tmp_path):
    host_mount('shared')
    before = host_mounts()
    podctl('run', '-d', '--name', 'c1', '--network=none', '-v', f'{tmp_path}:/m', '--tmpfs', '/t', '-v', '/anonymous', '--rm', image,
           '/probe', 'sleep')
    assert host_mounts() == before
    podctl('rm', '-f', '-v', '-t', '0', 'c1')
    assert host_mounts() == before


def vuln_B2_21_old_root_is_gone(podctl, image, tmp_path):
    text = run(podctl, 'cd /; for i in 1 2 3 4 5 6 7 8 9; do cd ..; done; ls; ls -d /proc/1/root/..; cat /proc/self/mountinfo',
               '--cap-add', 'DAC_READ_SEARCH', '-v', f'{tmp_path}:/m', check=True).out
    assert 'probe' in text.split()
    allowed = ('/m', '/etc/hosts', '/etc/resolv.conf', '/etc/hostname', '/run/.containerenv', '/proc', '/sys', '/dev')
    for line in text.split('\n'):
        fields = line.split()
        if ' - ' in line:
            assert fields[3] == '/' or fields[4].startswith(allowed), line
    # the classic way out of a chroot
    result = run(podctl, 'mkdir -p /x/bin && cp /bin/busybox /x/bin && cd / && chroot /x /bin/busybox sh -c '
                 '"for i in 1 2 3 4 5 6 7 8 9; do cd ..; done; /bin/busybox ls -a"')
    assert 'vmlinuz' not in result.stdout and 'podctl' not in result.stdout


def sec_A07_2_root_is_a_private_mount_of_its_own(podctl, image):
    text = run(podctl, 'head -1 /proc/self/mountinfo', check=True).out
    fields = text.split()
    assert fields[4] == '/' and fields[6] == '-', text


def sec_A07_3_read_only_is_recursive(podctl, image, host_mount):
    path = host_mount('private')
    (path / 'sub').mkdir()
    subprocess.run(['mount', '-t', 'tmpfs', 'test', str(path / 'sub')], check=True)
    text = run(podctl, '(echo x >/m/f) && echo written; (echo x >/m/sub/f) && echo written; true', '-v', f'{path}:/m:ro',
               check=True).stdout
    assert 'written' not in text
    assert run(podctl, 'ls /m/sub', '--mount', f'type=bind,src={path},dst=/m,bind-nonrecursive', check=True).out == ''


def sec_A07_3_flags_of_the_source_stay(podctl, image, host_mount):
    path = host_mount('private')
    subprocess.run(['mount', '-o', 'remount,bind,nosuid,nodev,noexec', str(path)], check=True)
    text = run(podctl, 'grep " /m " /proc/self/mountinfo', '-v', f'{path}:/m:suid,dev,exec', check=True).out
    assert {'nosuid', 'nodev', 'noexec'} <= set(text.split()[5].split(','))


def sec_A07_6_missing_destinations(podctl, image, root, tmp_path):
    (tmp_path / 'file').write_text('x')
    text = start_in(podctl, root, '-v', f'{tmp_path}:/new/deep', '-v', f'{tmp_path}/file:/other/file', script='stat -c '
                    '%a:%u /new /other; stat -c %F /other/file', check=True).out
    assert text.split('\n') == ['755:0', '755:0', 'regular file']
    assert (root / 'other/file').read_text() == '' and os.stat(root / 'other/file').st_mode & 0o777 == 0o644


def sec_A06_4_proc_and_sys_are_real_directories(podctl, image, root, outside):
    for place in ('/proc', '/sys'):
        plant(root, place, '/tmp', outside)
        assert 'symbolic link' in podctl.fails(125, 'run', '--rm', '--network=none', '--rootfs', root, '/bin/true')
        (root / place.lstrip('/')).unlink()
        (root / place.lstrip('/')).mkdir()


@pytest.mark.parametrize('path', ['cpuinfo', 'meminfo', 'stat', 'uptime', 'loadavg', 'swaps', 'diskstats'])
def sec_A06_5_harmless_files_may_be_covered(podctl, image, tmp_path, path):
    (tmp_path / 'file').write_text('mine')
    assert run(podctl, f'cat /proc/{path}', '-v', f'{tmp_path}/file:/proc/{path}:ro', check=True).out == 'mine'


@pytest.mark.parametrize('path', ['/proc', '/proc/sys', '/proc/1', '/proc/sysrq-trigger', '/proc/self/attr',
                                  '/proc/cpuinfo/../kcore', '/proc/net', '/proc/version'])
def sec_A06_5_nothing_else_below_proc(podctl, image, tmp_path, path):
    for options in (('-v', f'{tmp_path}:{path}'), ('--tmpfs', path), ('--mount', f'type=devpts,dst={path}')):
        line = podctl.fails(125, 'create', '--name', 'c1', *options, image, 'true')
        assert 'proc' in line
    assert podctl('container', 'exists', 'c1', check=False).code == 1


# --- removing ---


def vuln_B9_07_removal_of_a_volume(podctl, image, outside):
    podctl('volume', 'create', 'data')
    data = podctl.json('volume', 'inspect', 'data')[0]['Mountpoint']
    os.mkdir(f'{data}/mounted')
    os.symlink(outside, f'{data}/link')
    subprocess.run(['mount', '--bind', str(outside), f'{data}/mounted'], check=True)
    try:
        podctl.fails(2, 'volume', 'rm', 'data')
        assert (outside / 'f').exists()
    finally:
        subprocess.run(['umount', f'{data}/mounted'], check=True)
    podctl('volume', 'rm', '-f', 'data')
    assert not os.path.exists(data)


def vuln_B9_07_a_link_for_the_data(podctl, image, outside):
    podctl('volume', 'create', 'data')
    data = podctl.json('volume', 'inspect', 'data')[0]['Mountpoint']
    os.rmdir(data)
    os.symlink(outside, data)
    podctl('volume', 'rm', 'data')
    assert not os.path.lexists(data)


def test_mounts_in_inspect(podctl, image, tmp_path):
    podctl('create', '--name', 'c1', '--network=none', '-v', f'{tmp_path}:/b:ro', '-v', 'named:/n', '-v', '/a', image, 'true')
    mounts = {row['Destination']: row for row in podctl.inspect('c1')['Mounts']}
    assert (mounts['/b']['Type'], mounts['/b']['Source'], mounts['/b']['RW']) == ('bind', str(tmp_path), False)
    assert (mounts['/n']['Type'], mounts['/n']['Name'], mounts['/n']['RW']) == ('volume', 'named', True)
    assert mounts['/n']['Source'] == podctl.json('volume', 'inspect', 'named')[0]['Mountpoint']
    assert len(mounts['/a']['Name']) == 64 and json.dumps(mounts)
    podctl('rm', '-v', 'c1')
    podctl('volume', 'rm', 'named')
