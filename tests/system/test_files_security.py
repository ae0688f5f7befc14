# SPDX-License-Identifier: LGPL-2.1-or-later
"""cp, export and commit against containers that fight back: exchanged names, planted programs and libraries, hostile
names, full disks. Names are the rows of the catalogue."""
import bz2
import gzip
import hashlib
import io
import lzma
import os
import shutil
import subprocess
import tarfile

import pytest

from lib.command import IMAGE, IS_PODMAN, Podctl, wait_for
from lib.programs import build

FULL = bool(os.environ.get('PODCTL_TEST_FULL'))
# A word that is only outside. Whatever comes out of a container with it has escaped.
CANARY = b'canary-3f1c9a'

pytestmark = pytest.mark.skipif(IS_PODMAN, reason='podctl is stricter here')


@pytest.fixture(scope='module')
def exchange():
    return build('exchange')


@pytest.fixture
def outside(tmp_path):
    """A directory of the host that no container may read or change."""
    path = tmp_path / 'outside'
    path.mkdir()
    for name in ('f', 'token'):
        (path / name).write_bytes(CANARY)
    yield path
    assert sorted(os.listdir(path)) == ['f', 'token']
    assert all((path / name).read_bytes() == CANARY for name in ('f', 'token'))


def content(path):
    """Everything below a path, as one string of bytes; links are not followed."""
    parts = []
    for folder, _, names in os.walk(path):
        for name in names:
            full = os.path.join(folder, name)
            if os.path.isfile(full) and not os.path.islink(full):
                with open(full, 'rb') as stream:
                    parts.append(stream.read())
    return b'\0'.join(parts)


# what is exchanged below the directory: (name, name it is exchanged with, link target or None, path that is copied)
VARIANTS = {
    'file-link': ('d/f', 'd/x', '{outside}/f', 'd/f'),
    'directory-link': ('d', 'x', '{outside}', 'd/f'),
    'directory-up': ('d', 'x', '../../../../../../../../../..{outside}', 'd/f'),
    'directory-directory': ('d', 'a/b/c/x', None, 'd/../d/f'),
}


def prepare(base, variant, outside):
    """The tree that is fought over, made from outside while nobody runs."""
    one, other, target, path = VARIANTS[variant]
    os.makedirs(base / 'd')
    os.makedirs(base / 'a/b/c')
    (base / 'd/f').write_bytes(b'inside\n')
    if target:
        os.symlink(target.format(outside=outside), base / other)
    else:
        os.makedirs(base / other)
        (base / other / 'f').write_bytes(b'inside\n')
    return one, other, path


@pytest.fixture(params=['volume', 'root'])
def fight(request, podctl, image, exchange, tmp_path, outside):
    """start(variant): a running container whose names change all the time; the path to copy."""
    place = tmp_path / 'place'

    def start(variant):
        one, other, path = prepare(place, variant, outside)
        base = '/place' if request.param == 'volume' else '/own/place'
        options = ['-v', f'{place}:/place'] if request.param == 'volume' else []
        podctl('create', '--name', 'fight', '--network=none', *options, IMAGE, '/exchange', f'{base}/{one}',
               f'{base}/{other}')
        podctl('cp', exchange, 'fight:/exchange')
        if request.param == 'root':
            os.mkdir(tmp_path / 'own')
            os.rename(place, tmp_path / 'own/place')
            podctl('cp', tmp_path / 'own', 'fight:/')
            shutil.rmtree(tmp_path / 'own')
        podctl('start', 'fight')
        return base, path

    yield start
    podctl('rm', '-f', '-t', '0', 'fight')


def repeat(short):
    """How often: every variant, direction and place takes part in the 20 000."""
    return 2500 if FULL else short


@pytest.mark.limit(3000)
@pytest.mark.parametrize('variant', VARIANTS)
def vuln_B6_24_from_container(podctl, fight, tmp_path, variant):
    base, path = fight(variant)
    out = tmp_path / 'out'
    done = 0
    for i in range(repeat(40)):
        out.mkdir()
        words = [f'fight:{base}/{path}', out / 'copy'] if i % 2 else [f'fight:{base}/d/.', out / 'copy']
        done += podctl('cp', *words, check=False).code == 0
        assert CANARY not in content(out), words
        for folder, directories, _ in os.walk(out):
            assert not [name for name in directories if os.path.ismount(os.path.join(folder, name))]
        shutil.rmtree(out)
        if i % 10 == 0:
            data = subprocess.run(podctl.words('cp', f'fight:{base}/{path}', '-'), capture_output=True, timeout=60,
                                  check=False).stdout
            assert CANARY not in data
    assert done, 'not one copy met the right moment: the test shows nothing'


@pytest.mark.limit(3000)
@pytest.mark.parametrize('variant', VARIANTS)
def vuln_B6_24_to_container(podctl, fight, tmp_path, variant):
    base, path = fight(variant)
    source = tmp_path / 'source'
    source.mkdir()
    (source / 'f').write_bytes(b'new\n')
    (source / 'fresh').write_bytes(b'new\n')
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode='w') as tar:
        tar.add(source / 'f', 'd/f')
        tar.add(source / 'fresh', 'd/fresh')
    done = 0
    for i in range(repeat(40)):
        if i % 3 == 0:
            words = [source / 'f', f'fight:{base}/{path}']
        elif i % 3 == 1:
            words = [f'{source}/.', f'fight:{base}/d']
        else:
            words = ['-', f'fight:{base}']
        process = subprocess.run(podctl.words('cp', *words), input=data.getvalue(), capture_output=True, timeout=60,
                                 check=False)
        done += process.returncode == 0
    assert done, 'not one copy met the right moment: the test shows nothing'
    # the fixture "outside" looks whether something came out


@pytest.mark.limit(3000)
@pytest.mark.parametrize('variant', ['file-link', 'directory-link', 'directory-up'])
def vuln_B2_13_exports_during_exchange(podctl, fight, variant):
    fight(variant)
    for i in range(700 if FULL else 12):
        data = subprocess.run(podctl.words('export', 'fight'), capture_output=True, timeout=60, check=False).stdout
        assert CANARY not in data
        if i % 6 == 0 and podctl('commit', '-q', 'fight', 'fought', check=False).code == 0:
            data = podctl('run', '--rm', '--network=none', 'fought', 'sh', '-c',
                          'cat /own/place/*/* /own/place/* 2>/dev/null; true').stdout
            assert CANARY.decode() not in data
            podctl('image', 'rm', 'fought')


def vuln_B2_14_a_read_only_volume_stays(podctl, image, tmp_path):
    volume = tmp_path / 'volume'
    volume.mkdir()
    (volume / 'index.html').write_text('of the host\n')
    podctl('create', '--name', 'box', '--network=none', '-v', f'{volume}:/www:ro', IMAGE, 'sleep', '1000')
    (tmp_path / 'new').write_text('new\n')
    for _ in range(2):
        for target in ('/www/index.html', '/www/new', '/www'):
            podctl.fails(125, 'cp', tmp_path / 'new', f'box:{target}')
        podctl('commit', '-q', '--include-volumes', 'box', 'made')
        podctl('export', '-o', tmp_path / 'tar', 'box')
        podctl('cp', 'box:/www', tmp_path / 'copy')
        podctl('image', 'rm', 'made')
        assert os.listdir(volume) == ['index.html'] and (volume / 'index.html').read_text() == 'of the host\n'
        assert (tmp_path / 'copy/index.html').read_text() == 'of the host\n'
        with tarfile.open(tmp_path / 'tar') as tar:
            assert tar.extractfile('www/index.html').read() == b'hello from the pod\n', 'the volume is not the image'
        shutil.rmtree(tmp_path / 'copy')
        podctl('start', 'box')
    podctl('rm', '-f', '-t', '0', 'box')


# --- nothing of the container is run -----------------------------------------------------------------------

MARKER = '#!/bin/busybox sh\necho "$0" >>/marker\n'
PROGRAMS = ('ps', 'nsenter', 'newuidmap', 'tar', 'gzip', 'gunzip', 'unpigz', 'pigz', 'xz', 'unxz', 'zstd', 'bzip2',
            'zcat', 'cp', 'cat', 'ls', 'find', 'mount', 'umount', 'chown', 'mkdir', 'diff', 'top', 'stat')
LIBRARY = r'''
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void mark(void) {
	int fd = open("/marker", O_WRONLY | O_CREAT | O_APPEND, 0666);
	if (write(fd, "library\n", 8) < 0 || close(fd) < 0)
		_exit(1);
}
int _nss_files_getpwnam_r(void) { return 0; }
'''


@pytest.fixture(params=['running', 'stopped'])
def planted(request, podctl, image, tmp_path):
    """A container full of programs and libraries that leave a mark when they run."""
    tree = tmp_path / 'tree'
    for folder in ('bin', 'usr/bin', 'sbin', 'usr/local/bin', 'etc', 'lib/x86_64-linux-gnu', 'lib64', 'usr/lib/gconv'):
        (tree / folder).mkdir(parents=True)
    (tree / 'plain').write_text('text\n')
    for folder in ('bin', 'usr/bin', 'sbin', 'usr/local/bin'):
        for name in PROGRAMS:
            (tree / folder / name).write_text(MARKER)
            os.chmod(tree / folder / name, 0o755)
    library = tmp_path / 'library.so'
    (tmp_path / 'library.c').write_text(LIBRARY)
    subprocess.run(['gcc', '-shared', '-fPIC', '-o', library, tmp_path / 'library.c'], check=True)
    for folder in ('lib', 'lib64', 'lib/x86_64-linux-gnu', 'usr/lib/gconv'):
        for name in ('libnss_files.so.2', 'libnss_compat.so.2', 'libnss_systemd.so.2', 'libnss_dns.so.2',
                     'libarchive.so.13', 'libz.so.1', 'liblzma.so.5', 'libicudata.so.72', 'UTF-16.so', 'UNICODE.so'):
            shutil.copy(library, tree / folder / name)
    (tree / 'etc/ld.so.preload').write_text('/lib/libnss_files.so.2\n')
    (tree / 'etc/nsswitch.conf').write_text('passwd: files systemd compat\ngroup: files systemd\n')
    (tree / 'usr/lib/gconv/gconv-modules').write_text('module UTF-8// UNICODE// UNICODE 1\n')
    podctl('create', '--name', 'box', '--network=none', IMAGE, 'busybox', 'sleep', '1000')
    podctl('cp', f'{tree}/.', 'box:/')
    if request.param == 'running':
        podctl('start', 'box')
    marker = '/marker'
    assert not os.path.exists(marker)
    yield tree
    assert not os.path.exists(marker), 'something of the container has run outside'
    assert podctl('diff', 'box').stdout.count('/marker') == 0, 'something of the container has run'
    podctl('rm', '-f', '-t', '0', 'box')


def vuln_B1_05_programs_of_the_image_are_not_run(podctl, planted, tmp_path):
    podctl('cp', 'box:/bin', tmp_path / 'copied')
    podctl('cp', planted / 'plain', 'box:/tmp')
    podctl('export', '-o', tmp_path / 'tar', 'box')
    podctl('diff', 'box')
    podctl('commit', '-q', 'box', 'planted')
    podctl('image', 'rm', 'planted')
    podctl('inspect', 'box')
    if podctl.running('box'):
        podctl('logs', 'box')
        podctl('top', 'box')
        podctl('exec', 'box', 'busybox', 'true')
        podctl('stats', '--no-stream', 'box', check=False)
        podctl('kill', '-s', 'CONT', 'box')
        podctl('stop', '-t', '0', 'box')


def vuln_B1_06_libraries_of_the_image_are_not_loaded(podctl, planted, tmp_path):
    podctl('cp', planted / 'plain', 'box:/tmp')
    podctl('cp', 'box:/tmp/plain', tmp_path)
    subprocess.run(podctl.words('cp', 'box:/etc', '-'), stdout=subprocess.DEVNULL, check=True, timeout=60)
    podctl('export', '-o', tmp_path / 'tar', 'box')
    # users are looked up by name in the container's own files
    podctl('create', '--name', 'named', '--network=none', '--user', 'user:extra', IMAGE, 'true')
    podctl('cp', f'{planted}/.', 'named:/')
    podctl('cp', planted / 'plain', 'named:/tmp')
    owners = subprocess.run(podctl.words('cp', 'named:/tmp/plain', '-'), capture_output=True, check=True, timeout=60)
    with tarfile.open(fileobj=io.BytesIO(owners.stdout)) as tar:
        assert (tar.getmembers()[0].uid, tar.getmembers()[0].gid) == (1000, 2000)
    assert 'marker' not in podctl('diff', 'named').stdout
    podctl('rm', 'named')
    if podctl.running('box'):
        assert podctl('exec', '-u', 'user', 'box', 'busybox', 'id', '-u').stdout == '1000\n'


def zstd(data):
    return subprocess.run(['zstd', '-c'], input=data, capture_output=True, check=True, timeout=60).stdout


@pytest.mark.parametrize('pack', [gzip.compress, bz2.compress, lzma.compress, zstd], ids=['gzip', 'bzip2', 'xz', 'zstd'])
def vuln_B1_07_archives_are_decompressed_in_the_process(podctl, planted, tmp_path, pack):
    if pack is zstd and not shutil.which('zstd'):
        pytest.skip('no zstd to make an archive with')
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w') as tar:
        info = tarfile.TarInfo('packed')
        info.size = 7
        tar.addfile(info, io.BytesIO(b'packed\n'))
    data = pack(buffer.getvalue())
    # nor is one of the host's: PATH holds the same fakes
    environment = dict(os.environ, PATH=f'{planted}/bin')
    words = podctl.words('cp', '-', 'box:/tmp')
    words[0] = shutil.which(words[0])
    subprocess.run(words, input=data, check=True, timeout=60, env=environment)
    podctl('cp', 'box:/tmp/packed', tmp_path)
    assert (tmp_path / 'packed').read_bytes() == b'packed\n'
    assert not os.path.exists('/marker')


def vuln_B9_03_no_file_is_made_through_the_containers_links(podctl, image, tmp_path, outside):
    """Every directory in which something could be made is a link to the host by the time it could."""
    names = ('etc', 'run', 'tmp', 'var', 'dev/shm', 'root', 'srv', 'www')
    script = ';'.join(f'rm -rf /{name}; ln -s {outside} /{name}' for name in names if name != 'dev/shm')
    podctl('run', '-d', '--name', 'box', '--network=none', IMAGE, 'sh', '-c',
           f'({script}) 2>/dev/null; cat </dev/null; /bin/busybox sleep 1000')
    wait_for(lambda: podctl('exec', 'box', 'test', '-L', '/srv', check=False).code == 0)
    (tmp_path / 'new').write_text('new\n')
    for name in names:
        podctl('cp', tmp_path / 'new', f'box:/{name}/made', check=False)
        podctl('cp', tmp_path / 'new', f'box:/{name}', check=False)
    podctl('exec', 'box', 'true')
    podctl('commit', '-q', 'box', 'linked')
    podctl('export', '-o', tmp_path / 'tar', 'box')
    podctl('stop', '-t', '0', 'box')
    for name in names:
        podctl('cp', tmp_path / 'new', f'box:/{name}/made', check=False)
    podctl('cp', 'box:/srv', tmp_path / 'copied', check=False)
    assert not os.path.exists(tmp_path / 'copied') or CANARY not in content(tmp_path / 'copied')
    podctl('start', 'box', check=False)
    podctl('rm', '-f', '-t', '0', 'box')
    podctl('image', 'rm', 'linked')
    # the fixture "outside" looks whether something came out


# --- hostile names, archives and disks ---------------------------------------------------------------------


def test_names_are_bytes(podctl, image, tmp_path):
    names = [b'new\nline', b'\x1b[31mred', b'bad\xff\xfebytes', b'tab\there', b'-rf', b'back\\slash', 'ü'.encode(), b'x' * 255]
    tree = tmp_path / 'tree'
    tree.mkdir()
    for name in names:
        with open(os.path.join(os.fsencode(tree), name), 'wb') as stream:
            stream.write(name)
    podctl('create', '--name', 'box', '--network=none', IMAGE, 'true')
    podctl('cp', tree, 'box:/tmp')
    podctl('cp', 'box:/tmp/tree', tmp_path / 'back')
    back = os.fsencode(tmp_path / 'back')
    assert sorted(os.listdir(back)) == sorted(names)
    for name in names:
        with open(os.path.join(back, name), 'rb') as stream:
            assert stream.read() == name
    lines = podctl('diff', 'box').stdout.splitlines()
    assert 'A /tmp/tree/new\\012line' in lines and 'A /tmp/tree/\\033[31mred' in lines
    assert len(podctl.json('diff', '--format', 'json', 'box')['added']) == len(names) + 1
    data = subprocess.run(podctl.words('export', 'box'), capture_output=True, check=True, timeout=60).stdout
    with tarfile.open(fileobj=io.BytesIO(data), errors='surrogateescape') as tar:
        found = {os.fsencode(name) for name in tar.getnames()}
    assert {b'tmp/tree/' + name for name in names} <= found
    line = podctl.fails(125, 'cp', 'box:/tmp/\x1b[31mnone', tmp_path)
    assert '\x1b' not in line
    podctl('commit', '-q', 'box', 'odd')
    podctl('create', '--name', 'odd', '--network=none', 'odd', 'true')
    podctl('cp', 'odd:/tmp/tree', tmp_path / 'again')
    assert sorted(os.listdir(os.fsencode(tmp_path / 'again'))) == sorted(names)
    podctl('rm', 'box', 'odd')
    podctl('image', 'rm', 'odd')


def archive(*members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w') as tar:
        for name, kind, value in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, value if kind != tarfile.REGTYPE else ''
            info.size = len(value) if kind == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(value) if kind == tarfile.REGTYPE else None)
    return buffer.getvalue()


@pytest.mark.parametrize('members', [
    [('../out', tarfile.REGTYPE, b'x')],
    [('/out', tarfile.REGTYPE, b'x')],
    [('dir', tarfile.SYMTYPE, '/'), ('dir/out', tarfile.REGTYPE, b'x')],
    [('dir', tarfile.SYMTYPE, '..'), ('dir/out', tarfile.REGTYPE, b'x')],
    [('out', tarfile.LNKTYPE, '../bin/busybox')],
], ids=['up', 'absolute', 'link-to-root', 'link-up', 'hard-link-up'])
def vuln_B6_24_archives_stay_in_their_directory(podctl, image, tmp_path, members):
    """On the receiving side too; nothing is made but what came before the refusal."""
    podctl('create', '--name', 'box', '--network=none', IMAGE, 'true')
    done = subprocess.run(podctl.words('cp', '-', 'box:/tmp'), input=archive(*members), capture_output=True, timeout=60,
                          check=False)
    assert done.returncode == 125 and len(done.stderr.splitlines()) == 1
    assert not [line for line in podctl('diff', 'box').stdout.splitlines() if line.endswith('/out')]
    podctl('rm', 'box')


@pytest.fixture
def small(tmp_path):
    path = tmp_path / 'small'
    path.mkdir()
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=24m', 'small', path], check=True)
    yield path
    subprocess.run(['umount', '-l', path], check=True)


def test_full_disk(podctl, image, tmp_path, small):
    podctl('run', '-d', '--name', 'box', '--network=none', '--tmpfs', '/scratch:size=1m', IMAGE, 'sh', '-c',
           'dd if=/dev/zero of=/big bs=1M count=40; touch /ready; sleep 1000')
    wait_for(lambda: podctl('exec', 'box', 'test', '-e', '/ready', check=False).code == 0)
    assert 'No space left' in podctl.fails(125, 'cp', 'box:/big', small / 'big')
    assert 'No space left' in podctl.fails(125, 'export', '-o', small / 'tar', 'box')
    assert os.listdir(small) == []
    (tmp_path / 'two').write_bytes(b'x' * (2 << 20))
    assert 'No space left' in podctl.fails(125, 'cp', tmp_path / 'two', 'box:/scratch/two')
    assert podctl('exec', 'box', 'ls', '/scratch').stdout == ''
    podctl('rm', '-f', '-t', '0', 'box')


@pytest.mark.leaves('a store of its own')
def test_commit_on_a_full_disk(image, rootfs_tar, tmp_path, small):
    own = Podctl(['--root', str(small / 'state'), '--runroot', str(tmp_path / 'run')])
    own('import', rootfs_tar, 'base')
    own('run', '--name', 'box', '--network=none', 'base', 'sh', '-c', 'dd if=/dev/urandom of=/big bs=1M count=9')
    assert 'No space left' in own.fails(125, 'commit', '-q', 'box', 'made')
    assert own('image', 'exists', 'made', check=False).code == 1
    assert own('run', '--rm', '--network=none', 'base', 'echo', 'works').stdout == 'works\n'
    own('rm', 'box')
    assert hashlib.sha256(subprocess.run(own.words('image', 'ls', '-q'), capture_output=True, check=True,
                                         timeout=60).stdout).hexdigest()
