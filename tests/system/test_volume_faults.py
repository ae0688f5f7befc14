# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volumes filled from hostile images, filled twice, filled halfway, and removed whatever is in them."""
import io
import os
import shutil
import signal
import subprocess
import tarfile

import pytest

from lib import images
from lib.command import wait_for

MEGABYTE = 1 << 20
FILES = 3000


def archive(fill):
    """A layer; fill(add) is called with add(path, data=b'', **attributes)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w') as tar:
        def add(path, data=b'', **attributes):
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(data), 0o755
            for key, value in attributes.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(data))
        fill(add)
    return buffer.getvalue()


@pytest.fixture
def load(podctl, image, rootfs_tar, tmp_path):
    """load(fill): the name of an image with one more layer and a volume on /data."""
    def bring(fill):
        with open(rootfs_tar, 'rb') as stream:
            layers = [stream.read(), archive(fill)]
        images.docker_archive(f'{tmp_path}/image.tar', 'localhost/hostile:latest', layers, Volumes={'/data': {}})
        podctl('load', '-q', '-i', tmp_path / 'image.tar')
        return 'localhost/hostile:latest'

    yield bring
    podctl('rmi', '-f', 'localhost/hostile:latest', check=False)


def vuln_B6_11_links_are_copied_as_links(podctl, image, load):
    """One file with many names in a layer is not as many files in a volume or a tmpfs."""
    def fill(add):
        add('data', type=tarfile.DIRTYPE)
        add('data/below', type=tarfile.DIRTYPE)
        add('data/file', b'\1' * MEGABYTE)
        for i in range(100):
            add(f'data/{"below/" if i % 2 else ""}name{i}', type=tarfile.LNKTYPE, linkname='data/file')

    name = load(fill)
    podctl('volume', 'create', 'v')
    for options in (('-v', 'v:/data'), ('--mount', 'type=tmpfs,destination=/data,tmpcopyup')):
        out = podctl('run', '--rm', '--network=none', *options, name, 'sh', '-c',
                     'du -sk /data; stat -c %h /data/below/name1; cat /data/below/name99 | wc -c').out.split()
        assert int(out[0]) < 3 * 1024, out
        assert out[2:] == ['101', str(MEGABYTE)]
    podctl('volume', 'rm', 'v')


def vuln_B6_11_holes_stay_holes(podctl, image, rootfs, tmp_path):
    """What says in a few bytes that it is huge takes a few bytes in a volume."""
    root = tmp_path / 'root'
    shutil.copytree(rootfs, root, symlinks=True)
    (root / 'data').mkdir()
    with open(root / 'data/file', 'wb') as stream:
        for at in (1 << 30, 1 << 31):
            stream.seek(at)
            stream.write(b'x')
        stream.truncate(1 << 40)
    out = podctl('run', '--rm', '--network=none', '--mount', 'type=tmpfs,destination=/data,tmpcopyup,tmpfs-size=64m',
                 '--rootfs', root, 'sh', '-c', 'stat -c %s /data/file; du -k /data/file; '
                 'dd if=/data/file bs=1 skip=2147483647 count=3 2>/dev/null | od -An -c').out.split()
    assert out[0] == str(1 << 40) and int(out[1]) < 1024
    assert out[3:] == ['\\0', 'x', '\\0']


def vuln_B6_11_many_volumes(podctl, image, rootfs_tar, tmp_path):
    """An image cannot have thousands of directories made on the host."""
    with open(rootfs_tar, 'rb') as stream:
        layers = [stream.read()]
    images.docker_archive(f'{tmp_path}/image.tar', 'localhost/hostile:latest', layers,
                          Volumes={f'/v{i}': {} for i in range(300)})
    podctl('load', '-q', '-i', tmp_path / 'image.tar')
    assert 'more than 256 volumes' in podctl.fails(125, 'create', '--network=none', 'localhost/hostile:latest', 'true')
    assert podctl('volume', 'ls', '-q').out == ''
    podctl('rmi', 'localhost/hostile:latest')


def helpers():
    """The launcher has a session of its own."""
    return [int(pid) for pid in os.listdir('/proc') if pid.isdigit() and is_podctl(pid)]


def is_podctl(pid):
    try:
        with open(f'/proc/{pid}/comm', encoding='utf-8') as stream:
            return stream.read().startswith('podctl') and int(pid) != os.getpid()
    except OSError:
        return False


def test_an_interrupted_filling_is_taken_up(podctl, image, load):
    """Killed halfway, the next container finds all of what the image has."""
    def fill(add):
        add('data', type=tarfile.DIRTYPE)
        for i in range(FILES):
            add(f'data/{i}', b'x' * 20000)

    name = load(fill)
    podctl('volume', 'create', 'v')
    data = podctl.json('volume', 'inspect', 'v')[0]['Mountpoint']
    podctl('create', '--name', 'c', '--network=none', '-v', 'v:/data', name, 'sh', '-c', 'ls -A /data | wc -l; du -s /data')
    process = podctl.start('start', 'c', stdin=subprocess.DEVNULL, start_new_session=True)
    wait_for(lambda: len(os.listdir(data)) > FILES / 100)
    os.killpg(process.pid, signal.SIGKILL)
    for pid in helpers():
        os.kill(pid, signal.SIGKILL)
    process.wait(10)
    assert len(os.listdir(data)) < FILES, 'the kill came too late to be of use'
    podctl('rm', '-f', 'c')
    # what its owner has put there meanwhile stays
    with open(f'{data}/own', 'w', encoding='ascii') as stream:
        stream.write('own')
    out = podctl('run', '--rm', '--network=none', '-v', 'v:/data', name, 'sh', '-c',
                 'ls -A /data | wc -l; find /data -type f -size -20000c').out.split()
    assert out == [str(FILES + 1), '/data/own']
    # and from now on it is the owner's
    os.unlink(f'{data}/1')
    podctl('run', '--rm', '--network=none', '-v', 'v:/data', name, 'true')
    assert not os.path.exists(f'{data}/1')
    podctl('volume', 'rm', 'v')
