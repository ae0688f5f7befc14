# SPDX-License-Identifier: LGPL-2.1-or-later
"""/dev, --device and what stays writable. Names with an id are rows of the catalogue."""
import os
import subprocess

import pytest

from lib.command import IMAGE, IS_PODMAN

pytestmark = pytest.mark.skipif(IS_PODMAN, reason='podctl is stricter here')


def run(podctl, script, *options, check=False):
    return podctl('run', '--rm', '--network=none', *options, IMAGE, 'sh', '-c', script, check=check)


@pytest.fixture
def root(rootfs, tmp_path):
    """A root file system of one's own to spoil."""
    path = tmp_path / 'root'
    subprocess.run(['cp', '-a', rootfs, str(path)], check=True)
    return path


def start_in(podctl, root, *options, script='true', check=False):
    return podctl('run', '--rm', '--network=none', *options, '--rootfs', root, '/bin/sh', '-c', script, check=check)


GOLDEN = ['core', 'fd', 'full', 'mqueue', 'null', 'ptmx', 'pts', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'tty',
          'urandom', 'zero']


def sec_A05_listing_is_the_golden_list(podctl, image):
    assert run(podctl, 'ls /dev', check=True).out.split() == GOLDEN
    text = run(podctl, 'cd /dev; stat -c %n:%t:%T:%a:%u null zero full random urandom tty; '
                 'for l in core fd ptmx stderr stdin stdout; do echo $l:$(readlink $l); done').out
    assert text.split() == [
        'null:1:3:666:0', 'zero:1:5:666:0', 'full:1:7:666:0', 'random:1:8:666:0', 'urandom:1:9:666:0', 'tty:5:0:666:0',
        'core:/proc/kcore', 'fd:/proc/self/fd', 'ptmx:pts/ptmx', 'stderr:/proc/self/fd/2', 'stdin:/proc/self/fd/0',
        'stdout:/proc/self/fd/1']


def sec_A05_device(podctl, image):
    assert run(podctl, 'ls /dev', '--device', '/dev/fuse').out.split() == sorted(GOLDEN + ['fuse'])
    text = run(podctl, 'stat -c %t:%T /dev/sub/x /elsewhere/y', '--device', '/dev/null:/dev/sub/x:rw',
                 '--device', '/dev/zero:/elsewhere/y').out
    assert text == '1:3\n1:5'


def sec_A05_1_flags_of_dev(podctl, image):
    text = run(podctl, 'grep " /dev " /proc/self/mountinfo; stat -c %a /dev; ls -l /dev/console 2>&1; true', check=True).out
    options = text.split()[5].split(',')
    assert {'rw', 'nosuid', 'noexec'} <= set(options) and 'nodev' not in options
    assert 'size=65536k' in text and 'mode=755' in text and 'No such file' in text
    assert run(podctl, 'stat -c %t /dev/console', '-t', check=True).out == '88'


def sec_A05_2_pts_shm_mqueue(podctl, image):
    wanted = {'/dev/pts': ('devpts', {'nosuid', 'noexec'}, {'ptmxmode=666', 'mode=620', 'gid=5'}),
              '/dev/shm': ('tmpfs', {'nosuid', 'noexec', 'nodev'}, {'size=65536k'}),
              '/dev/mqueue': ('mqueue', {'nosuid', 'noexec', 'nodev'}, set())}
    lines = run(podctl, 'cat /proc/self/mountinfo; stat -c %a /dev/shm', check=True).out.split('\n')
    for place, (kind, flags, options) in wanted.items():
        line = [line for line in lines if f' {place} ' in line][0]
        assert f' - {kind} ' in line and flags <= set(line.split()[5].split(',')), line
        assert options <= set(line.split()[-1].split(',')), line
    assert lines[-1] == '1777'


def sec_A05_3_nodes_in_a_user_namespace(podctl, image):
    text = run(podctl, 'echo x >/dev/null && head -c 4 /dev/zero | wc -c; head -c 2 /dev/urandom | wc -c; ls /dev; '
               'grep " /dev " /proc/self/mountinfo', '--uidmap', '0:100000:65536', check=True).out
    assert text.split()[:2] == ['4', '2'] and {'nosuid', 'noexec'} <= set(text.split()[-6].split(',') + text.split(
        '/dev ')[-1].split(' ')[0].split(','))


def sec_A05_4_device(podctl, image, tmp_path):
    os.symlink('/dev/zero', tmp_path / 'link')
    folder = tmp_path / 'folder'
    (folder / 'deep').mkdir(parents=True)
    os.mknod(folder / 'deep/node', 0o640 | 0o020000, os.makedev(1, 5))
    (folder / 'file').write_text('')
    os.chown(folder / 'deep/node', 3, 4)
    text = run(podctl, 'stat -c %t:%T:%a:%u:%g /dev/l /dev/d/deep/node; ls /dev/d; head -c 3 /dev/l | wc -c',
               '--device', f'{tmp_path}/link:/dev/l', '--device', f'{folder}:/dev/d', check=True).out
    assert text.split() == ['1:5:666:0:0', '1:5:640:3:4', 'deep', '3']
    for value in (f'{folder}/file', f'{tmp_path}/nosuch', str(tmp_path / 'root'), 'vendor.com/class=name', 'relative',
                  '/dev/null:relative', '/dev/null:/dev/x:q', '/dev/null:/dev/x:rr', '/dev/null:/dev/x:rwm:x', ''):
        line = podctl.fails(125, 'create', '--name', 'c1', '--device', value, image, 'true')
        assert 'device' in line, (value, line)
    for rule in ('', 'c', 'x 1:3 rwm', 'c 1:3', 'c 1:3 x', 'c 1 rwm', 'c 1:-3 rwm', 'c 1:3:4 r', 'c 99999999:1 r'):
        podctl.fails(125, 'create', '--name', 'c1', '--device-cgroup-rule', rule, image, 'true')
    assert podctl('container', 'exists', 'c1', check=False).code == 1


def sec_A05_4_device_of_a_pod(podctl, image):
    podctl('pod', 'create', '--name', 'p1', '--device', '/dev/zero:/dev/ours')
    assert podctl('run', '--rm', '--pod', 'p1', image, 'stat', '-c', '%t:%T', '/dev/ours').out == '1:5'
    podctl('pod', 'rm', '-f', '-t', '0', 'p1')


def sec_A05_4_devices_of_an_image_are_not_used(podctl, image, root):
    os.mknod(root / 'node', 0o666 | 0o020000, os.makedev(1, 5))
    result = start_in(podctl, root, script='head -c 1 /node')
    assert result.code != 0, repr(result)


def test_privileged_has_the_hosts_devices(podctl, image):
    inside = set(run(podctl, 'ls /dev', '--privileged', check=True).out.split())
    host = {name for name in os.listdir('/dev') if not os.path.islink(f'/dev/{name}') and
            not os.path.isdir(f'/dev/{name}') and name not in ('console', 'ptmx')}
    nodes = {name for name in host if not os.path.isfile(f'/dev/{name}')}
    assert nodes <= inside


def test_read_only_leaves_some_places_writable(podctl, image):
    script = 'for d in /dev /dev/shm /run /tmp /var/tmp /etc; do (touch $d/x) 2>/dev/null && echo $d; done; true'
    assert run(podctl, script, '--read-only', check=True).out.split() == ['/dev', '/dev/shm', '/run', '/tmp', '/var/tmp']
    assert run(podctl, script, '--read-only', '--read-only-tmpfs=false', check=True).out == ''
