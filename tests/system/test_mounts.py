# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mounts of every type, volumes, devices and /dev. Names with an id are rows of the catalogue."""
import os
import subprocess

import pytest

from lib.command import IS_PODMAN

ours = pytest.mark.skipif(IS_PODMAN, reason='podctl is stricter here')


def shell(podctl, script, *options, image='localhost/test:latest', check=True):
    return podctl('run', '--rm', '--network=none', *options, image, 'sh', '-c', script, check=check)


def mount_options(podctl, destination, *options):
    """Set of words of the mount that is visible at the destination."""
    for line in reversed(shell(podctl, 'cat /proc/self/mountinfo', *options).out.split('\n')):
        fields = line.split()
        if fields[4] == destination:
            return set(fields[5].split(','))
    return None


@pytest.fixture
def volume(podctl):
    """A named volume; gone at the end."""
    podctl('volume', 'create', 'data')
    yield 'data'
    podctl('volume', 'rm', '-f', 'data')


def mountpoint(podctl, name):
    return podctl.json('volume', 'inspect', name)[0]['Mountpoint']


# --- types ---


@pytest.mark.parametrize('words', ['type=bind,src={},dst=/m', 'type=bind,source={},target=/m',
                                   'type=bind,source={},destination=/m,bind-nonrecursive'])
def test_bind(podctl, image, tmp_path, words):
    (tmp_path / 'f').write_text('hello')
    assert shell(podctl, 'cat /m/f', '--mount', words.format(tmp_path)).out == 'hello'


def test_bind_file(podctl, image, tmp_path):
    (tmp_path / 'f').write_text('hello')
    assert shell(podctl, 'cat /etc/some', '-v', f'{tmp_path}/f:/etc/some').out == 'hello'


def test_tmpfs(podctl, image):
    text = shell(podctl, 'stat -c %a:%u:%g /m; df -k /m | tail -1; mount | grep " /m "',
                 '--mount', 'type=tmpfs,dst=/m,tmpfs-size=1m,tmpfs-mode=0750,uid=7,gid=8,nr_inodes=50').out
    assert '750:7:8' in text and ' 1024 ' in text and 'nr_inodes=50' in text


def test_tmpfs_has_what_the_image_has(podctl, image):
    assert 'index.html' in shell(podctl, 'ls /www', '--tmpfs', '/www').out
    assert shell(podctl, 'ls /www', '--tmpfs', '/www:notmpcopyup').out == ''


def test_tmpfs_of_the_user(podctl, image):
    assert shell(podctl, 'stat -c %u /m', '--user', '1000', '--tmpfs', '/m:U,mode=700').out == '1000'


def test_ramfs(podctl, image):
    assert ' ramfs ' in shell(podctl, 'mount | grep " /m "', '--mount', 'type=ramfs,dst=/m').out


def test_devpts(podctl, image):
    text = shell(podctl, 'mount | grep " /m "; ls /m', '--mount', 'type=devpts,dst=/m,mode=600,max=5').out
    assert ' devpts ' in text and 'mode=600' in text and 'max=5' in text and 'ptmx' in text


def test_glob(podctl, image, tmp_path):
    for name in ('a1', 'a2', 'b1'):
        (tmp_path / name).write_text(name)
    assert shell(podctl, 'ls /m', '--mount', f'type=glob,src={tmp_path}/a*,dst=/m').out == 'a1\na2'
    assert shell(podctl, f'cat {tmp_path}/a2', '--mount', f'type=glob,src={tmp_path}/a*').out == 'a2'
    podctl.fails(125, 'run', '--rm', '--network=none', '--mount', f'type=glob,src={tmp_path}/x*,dst=/m', image, 'true')


def test_image(podctl, image):
    assert 'hello' in shell(podctl, 'cat /m/www/index.html', '--mount', f'type=image,src={image},dst=/m').out
    assert 'hello' in shell(podctl, 'cat /m/index.html', '--mount', f'type=image,src={image},dst=/m,subpath=www').out
    result = shell(podctl, 'echo x >/m/new', '--mount', f'type=image,src={image},dst=/m', check=False)
    assert result.code != 0 and 'ead-only' in result.stderr
    assert shell(podctl, 'echo x >/m/new && cat /m/new', '--mount', f'type=image,src={image},dst=/m,rw=true').out == 'x'
    podctl.fails(125, 'run', '--rm', '--network=none', '--mount', 'type=image,src=nosuch,dst=/m', image, 'true')


def test_overlay(podctl, image, tmp_path):
    (tmp_path / 'f').write_text('old')
    assert shell(podctl, 'echo new >/m/f; touch /m/g; cat /m/f', '-v', f'{tmp_path}:/m:O').out == 'new'
    assert (tmp_path / 'f').read_text() == 'old' and not (tmp_path / 'g').exists()


def test_overlay_with_layers_of_the_user(podctl, image):
    base = '/var/lib/podctl/overlay-test'
    for name in ('low', 'up', 'work'):
        os.makedirs(f'{base}/{name}')
    try:
        options = ('-v', f'{base}/low:/m:O,upperdir={base}/up,workdir={base}/work')
        shell(podctl, 'echo new >/m/f', *options)
        assert shell(podctl, 'cat /m/f', *options).out == 'new'
        assert os.listdir(f'{base}/up') == ['f'] and os.listdir(f'{base}/low') == []
    finally:
        subprocess.run(['rm', '-rf', base], check=True)


def test_chown(podctl, image, tmp_path):
    (tmp_path / 'sub').mkdir()
    (tmp_path / 'sub/f').write_text('')
    outside = tmp_path.parent / 'outside'
    outside.write_text('')
    (tmp_path / 'link').symlink_to(outside)
    shell(podctl, 'true', '--user', '1000:2000', '-v', f'{tmp_path}:/m:U')
    for path in ('', 'sub', 'sub/f', 'link'):
        status = os.lstat(tmp_path / path)
        assert (status.st_uid, status.st_gid) == (1000, 2000), path
    assert os.stat(outside).st_uid == 0


@ours
@pytest.mark.parametrize('path', ['/', '/usr', '/etc', '/home', '/root', '/srv'])
def test_chown_of_the_system_is_refused(podctl, image, path):
    assert 'directory of the system' in podctl.fails(
        125, 'run', '--rm', '--network=none', '-v', f'{path}:/m:U', image, 'true')


def test_idmap_with_maps(podctl, image, tmp_path):
    (tmp_path / 'f').write_text('')
    tmp_path.chmod(0o755)
    os.chown(tmp_path / 'f', 10, 11)
    text = shell(podctl, 'stat -c %u:%g /m/f', '-v', f'{tmp_path}:/m:idmap=uids=10-77-5;gids=10-88-5').out
    assert text == '77:89'


@ours
def test_idmap_needs_a_user_namespace(podctl, image, tmp_path):
    assert 'idmap' in podctl.fails(125, 'run', '--rm', '--network=none', '-v', f'{tmp_path}:/m:idmap', image, 'true')


@pytest.mark.parametrize('words,wanted', [('', {'rw', 'nosuid', 'nodev'}), (':ro', {'ro', 'nosuid', 'nodev'}),
                                          (':noexec,suid,dev', {'rw', 'noexec'})])
def test_flags(podctl, image, tmp_path, words, wanted):
    found = mount_options(podctl, '/m', '-v', f'{tmp_path}:/m{words}')
    assert found & {'rw', 'ro', 'nosuid', 'nodev', 'noexec'} == wanted


def test_a_mount_below_another(podctl, image, tmp_path):
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a/deep').mkdir()
    (tmp_path / 'b').write_text('b')
    assert shell(podctl, 'cat /m/deep/f', '-v', f'{tmp_path}/b:/m/deep/f', '-v', f'{tmp_path}/a:/m').out == 'b'


BAD = ['type=bind,src=/x,dst=/m,nosuch', 'type=nosuch,dst=/m', 'type=bind,dst=/m', 'type=volume,src=../x,dst=/m',
       'type=tmpfs,dst=/m,tmpfs-size=x', 'type=tmpfs,dst=/m,tmpfs-mode=9', 'type=volume,src=v,dst=/m,volume-opt=a=b',
       'type=bind,src=/tmp,dst=/m,bind-propagation=x', 'type=bind,src=/nosuch,dst=/m', 'type=bind,src=/tmp,dst=/proc/x']


@ours
@pytest.mark.parametrize('text', BAD)
def test_bad_mount(podctl, image, text):
    podctl.fails(125, 'run', '--rm', '--network=none', '--mount', text, image, 'true')


# --- volumes ---


def test_volume_keeps_files(podctl, image, volume):
    shell(podctl, 'echo kept >/m/f', '-v', 'data:/m')
    assert shell(podctl, 'cat /m/f', '--mount', 'type=volume,src=data,dst=/m').out == 'kept'


def test_volume_is_made_on_first_use(podctl, image):
    podctl('create', '--name', 'c1', '--network=none', '-v', 'fresh:/m', image, 'true')
    assert podctl('volume', 'exists', 'fresh').code == 0
    podctl('rm', 'c1')
    assert podctl('volume', 'exists', 'fresh').code == 0
    podctl('volume', 'rm', 'fresh')
    assert podctl('volume', 'exists', 'fresh', check=False).code == 1


def test_volume_commands(podctl, image):
    assert podctl('volume', 'create', '--label', 'a=b', 'v1').out == 'v1'
    podctl.fails(125, 'volume', 'create', 'v1')
    podctl('volume', 'create', '--ignore', 'v1')
    made = podctl('volume', 'create').out
    assert len(made) == 64
    assert podctl('volume', 'ls', '-q').out.split() == sorted(['v1', made])
    assert podctl('volume', 'ls', '-q', '--filter', 'label=a=b').out == 'v1'
    assert podctl('volume', 'ls').stdout.split('\n')[0].split() == ['DRIVER', 'VOLUME', 'NAME']
    data = podctl.json('volume', 'inspect', 'v1')[0]
    assert (data['Name'], data['Driver'], data['Labels'], data['Scope']) == ('v1', 'local', {'a': 'b'}, 'local')
    assert podctl('volume', 'rm', made[:12]).out
    podctl.fails(1, 'volume', 'rm', 'nosuch')
    podctl('volume', 'rm', '-f', 'nosuch')
    podctl('volume', 'rm', 'v1')


@ours
@pytest.mark.parametrize('words', [('-o', 'type=tmpfs'), ('-d', 'nfs'), ('--opt', 'device=/x')])
def test_volume_options_are_refused(podctl, image, words):
    podctl.fails(125, 'volume', 'create', *words, 'v1')
    assert podctl('volume', 'exists', 'v1', check=False).code == 1


def test_volume_in_use(podctl, image, volume):
    podctl('create', '--name', 'c1', '--network=none', '-v', 'data:/m', image, 'true')
    podctl.fails(2, 'volume', 'rm', 'data')
    assert podctl('volume', 'ls', '-q', '--filter', 'dangling=true').out == ''
    podctl('volume', 'prune', '-f')
    assert podctl('volume', 'exists', 'data').code == 0
    podctl('volume', 'rm', '-f', 'data')
    assert podctl('container', 'exists', 'c1', check=False).code == 1


def test_volume_prune(podctl, image):
    podctl('volume', 'create', '--label', 'keep=1', 'v1')
    podctl('volume', 'create', 'v2')
    podctl('volume', 'prune', '-f', '--filter', 'label!=keep')
    assert podctl('volume', 'ls', '-q').out == 'v1'
    podctl('volume', 'prune', '-f')
    assert podctl('volume', 'ls', '-q').out == ''


def test_volume_and_container_of_one_name(podctl, image, volume):
    podctl('create', '--name', 'data', '--network=none', '-v', 'data:/m', image, 'true')
    podctl('rm', 'data')


def test_anonymous_volume_goes_with_rm(podctl, image):
    shell(podctl, 'echo x >/m/f', '-v', '/m')
    assert podctl('volume', 'ls', '-q').out == ''
    podctl('create', '--name', 'c1', '--network=none', '-v', '/m', image, 'true')
    name = podctl('volume', 'ls', '-q').out
    assert len(name) == 64 and podctl.json('volume', 'inspect', name)[0]['Anonymous']
    podctl('rm', 'c1')
    assert podctl('volume', 'ls', '-q').out == name
    podctl('volume', 'rm', name)
    podctl('create', '--name', 'c1', '--network=none', '-v', '/m', image, 'true')
    podctl('rm', '-v', 'c1')
    assert podctl('volume', 'ls', '-q').out == ''


def test_volume_of_a_pod(podctl, image, volume):
    podctl('pod', 'create', '--name', 'p1', '-v', 'data:/m', '-v', '/anonymous')
    podctl('run', '--rm', '--pod', 'p1', image, 'sh', '-c', 'echo x >/m/f')
    assert podctl('run', '--rm', '--pod', 'p1', image, 'cat', '/m/f').out == 'x'
    podctl('pod', 'rm', '-f', '-t', '0', 'p1')
    assert podctl('volume', 'ls', '-q').out == 'data'


def test_subpath(podctl, image, volume):
    shell(podctl, 'mkdir -p /m/a/b; echo deep >/m/a/b/f', '-v', 'data:/m')
    assert shell(podctl, 'cat /n/f', '--mount', 'type=volume,src=data,dst=/n,subpath=a/b').out == 'deep'
    podctl.fails(125, 'run', '--rm', '--network=none', '--mount', 'type=volume,src=data,dst=/n,subpath=x', image, 'true')


@pytest.fixture(scope='module')
def volume_image(session_podctl, rootfs_tar, image):
    """An image that declares a volume with something in it."""
    session_podctl('image', 'import', '--change', 'VOLUME /www', rootfs_tar, 'localhost/withvolume')
    yield 'localhost/withvolume:latest'
    session_podctl('image', 'rm', 'localhost/withvolume')


def test_image_volume(podctl, volume_image):
    podctl('create', '--name', 'c1', '--network=none', volume_image, 'sh', '-c', 'mount | grep " /www "; cat /www/*')
    name = podctl('volume', 'ls', '-q').out
    assert 'hello' in podctl('start', '-a', 'c1').out
    assert os.listdir(mountpoint(podctl, name)) == ['index.html']
    podctl('rm', '-v', 'c1')
    assert shell(podctl, 'mount | grep " /www " || echo none', '--image-volume=ignore', image=volume_image).out == 'none'
    text = shell(podctl, 'mount | grep " /www "; ls /www', '--image-volume=tmpfs', image=volume_image).out
    assert 'tmpfs' in text and 'index.html' in text
    podctl.fails(125, 'create', '--image-volume=x', volume_image, 'true')


def test_named_volume_wins_over_the_images(podctl, volume_image, volume):
    assert 'hello' in shell(podctl, 'cat /www/index.html', '-v', 'data:/www', image=volume_image).out
    assert podctl('volume', 'ls', '-q').out == 'data'


def test_volume_is_filled_once(podctl, image, volume):
    assert 'hello' in shell(podctl, 'cat /www/index.html; rm /www/index.html; touch /www/x', '-v', 'data:/www').out
    assert shell(podctl, 'ls /www', '-v', 'data:/www').out == 'x'


def test_fresh_volume_is_the_users(podctl, image, volume):
    """Where the image has no such directory; the first user's, and it stays."""
    assert shell(podctl, 'touch /new/f; stat -c %u:%g /new', '--user', '1000:2000', '-v', 'data:/new').out == '1000:2000'
    shell(podctl, 'rm /new/f', '--user', '1000', '-v', 'data:/new')
    assert shell(podctl, 'stat -c %u:%g /new', '--user', '5', '-v', 'data:/new').out == '1000:2000'


@ours
def test_fresh_volume_in_a_user_namespace(podctl, image, volume):
    options = ('--uidmap', '0:100000:65536', '--user', '7')
    assert shell(podctl, 'touch /new/f; stat -c %u /new/f', *options, '-v', 'data:/new').out == '7'
    assert os.stat(mountpoint(podctl, 'data') + '/f').st_uid == 100007
    # ids of the image in a volume are the container's
    podctl('volume', 'create', 'mapped')
    assert shell(podctl, 'stat -c %u /www/index.html', *options, '-v', 'mapped:/www:idmap').out == '0'
    assert os.stat(mountpoint(podctl, 'mapped') + '/index.html').st_uid == 0
    podctl('volume', 'rm', 'mapped')


def test_nocopy(podctl, image, volume):
    assert shell(podctl, 'ls /www', '-v', 'data:/www:nocopy').out == ''
