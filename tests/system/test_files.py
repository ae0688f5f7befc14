# SPDX-License-Identifier: LGPL-2.1-or-later
"""cp, export, diff and commit: a container's files from outside, running, paused and stopped."""
import gzip
import io
import json
import os
import signal
import stat
import subprocess
import tarfile
import time

import pytest

from lib import images
from lib.command import IMAGE, IS_PODMAN, wait_for

ours = pytest.mark.skipif(IS_PODMAN, reason='podctl only')


def mount_table():
    with open('/proc/self/mountinfo', encoding='utf-8') as stream:
        return stream.read()


@pytest.fixture(params=['running', 'paused', 'stopped', 'created'])
def box(request, podctl, image, tmp_path_factory):
    """A container in each state; its /srv has a file, a directory, links and a FIFO."""
    script = ('mkdir -p /srv/dir/sub; echo one >/srv/file; echo two >/srv/dir/two; echo three >/srv/dir/sub/three; '
              'ln -s file /srv/link; ln -s /srv/dir /srv/dirlink; ln /srv/file /srv/hard; mkfifo /srv/fifo; '
              'chmod 640 /srv/file; chmod 4755 /srv/dir/two; chown 1000:1000 /srv/dir/sub/three')
    if request.param == 'created':
        podctl('create', '--name', 'box', '--network=none', IMAGE, 'sh', '-c', 'sleep 1000')
        with tarfile.open(fileobj=(buffer := io.BytesIO()), mode='w') as tar:
            add(tar, 'dir', None)
            add(tar, 'dir/sub', None)
            add(tar, 'file', b'one\n', mode=0o640)
            add(tar, 'dir/two', b'two\n', mode=0o4755)
            add(tar, 'dir/sub/three', b'three\n', uid=1000, gid=1000)
            for name, target in (('link', 'file'), ('dirlink', '/srv/dir')):
                add(tar, name, ('link', target))
            add(tar, 'hard', ('hard', 'file'))
            add(tar, 'fifo', ('fifo',))
        empty = tmp_path_factory.mktemp('empty')
        podctl('cp', f'{empty}/.', 'box:/srv')
        feed(podctl, buffer.getvalue(), 'cp', '--archive=false', '-', 'box:/srv')
    else:
        end = 'sleep 1000' if request.param != 'stopped' else 'true'
        podctl('run', '-d', '--name', 'box', '--network=none', IMAGE, 'sh', '-c', f'{script}; touch /ready; {end}')
        if request.param == 'stopped':
            podctl('wait', 'box')
        else:
            wait_for(lambda: podctl('exec', 'box', 'test', '-e', '/ready', check=False).code == 0)
        if request.param == 'paused' and podctl('pause', 'box', check=False).code:
            podctl('rm', '-f', '-t', '0', 'box')
            pytest.skip('no freezer here')
    yield 'box'
    if request.param == 'paused':
        podctl('unpause', 'box', check=False)
    podctl('rm', '-f', '-t', '0', 'box')


def add(tar, name, content, **more):
    info = tarfile.TarInfo(name)
    info.mode = 0o755
    for key, value in more.items():
        setattr(info, key, value)
    if content is None:
        info.type = tarfile.DIRTYPE
    elif isinstance(content, tuple):
        info.type = {'link': tarfile.SYMTYPE, 'hard': tarfile.LNKTYPE, 'fifo': tarfile.FIFOTYPE,
                     'char': tarfile.CHRTYPE}[content[0]]
        info.linkname = content[1] if len(content) > 1 else ''
    else:
        info.size = len(content)
    tar.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)


def feed(podctl, data, *words, check=True):
    """Bytes in, bytes out."""
    done = subprocess.run(podctl.words(*words), input=data, capture_output=True, timeout=60, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


def read(path):
    with open(path, encoding='utf-8') as stream:
        return stream.read()


# --- cp: paths ---------------------------------------------------------------------------------------------


def test_cp_from_container(podctl, box, tmp_path):
    before = mount_table()
    podctl('cp', 'box:/srv/file', tmp_path / 'copy')
    podctl('cp', 'box:/srv/file', tmp_path)
    podctl('cp', 'box:srv/link', tmp_path / 'followed')
    podctl('cp', 'box:/srv/dir', tmp_path)
    podctl('cp', 'box:/srv/dir/', tmp_path / 'new')
    os.mkdir(tmp_path / 'into')
    podctl('cp', 'box:/srv/dirlink/.', tmp_path / 'into')
    assert read(tmp_path / 'copy') == read(tmp_path / 'file') == read(tmp_path / 'followed') == 'one\n'
    assert stat.S_IMODE(os.stat(tmp_path / 'copy').st_mode) == 0o640
    assert read(tmp_path / 'dir/sub/three') == read(tmp_path / 'new/sub/three') == read(tmp_path / 'into/sub/three')
    assert sorted(os.listdir(tmp_path / 'into')) == ['sub', 'two']
    assert mount_table() == before


def test_cp_whole_directory(podctl, box, tmp_path):
    podctl('cp', 'box:/srv', tmp_path)
    top = tmp_path / 'srv'
    assert sorted(os.listdir(top)) == ['dir', 'dirlink', 'fifo', 'file', 'hard', 'link']
    assert os.readlink(top / 'link') == 'file' and os.readlink(top / 'dirlink') == '/srv/dir'
    assert stat.S_ISFIFO(os.stat(top / 'fifo').st_mode)
    assert os.stat(top / 'hard').st_ino == os.stat(top / 'file').st_ino
    assert os.stat(top / 'dir/sub/three').st_uid == 0
    # what could give rights on the host stays behind unless it is asked for
    assert stat.S_IMODE(os.stat(top / 'dir/two').st_mode) == 0o755
    podctl('cp', '-a', 'box:/srv/dir', tmp_path / 'kept')
    assert stat.S_IMODE(os.stat(tmp_path / 'kept/two').st_mode) == 0o4755


def test_cp_to_container(podctl, box, tmp_path):
    before = mount_table()
    (tmp_path / 'tree/deep').mkdir(parents=True)
    (tmp_path / 'tree/deep/leaf').write_text('leaf\n')
    (tmp_path / 'file').write_text('new\n')
    os.chown(tmp_path / 'file', 1234, 1234)
    podctl('cp', tmp_path / 'file', 'box:/srv/made')
    podctl('cp', tmp_path / 'file', 'box:/srv/file')
    podctl('cp', tmp_path / 'file', 'box:/srv/link')
    podctl('cp', tmp_path / 'tree', 'box:/srv')
    podctl('cp', f'{tmp_path}/tree/.', 'box:/srv/renamed')
    podctl('cp', '--archive=false', tmp_path / 'file', 'box:/srv/owned')
    assert mount_table() == before
    podctl('cp', 'box:/srv', tmp_path / 'back')
    back = tmp_path / 'back'
    for name in ('made', 'file', 'link', 'owned'):
        assert read(back / name) == 'new\n'
    assert os.readlink(back / 'link') == 'file', 'a link is followed, not replaced'
    assert read(back / 'tree/deep/leaf') == read(back / 'renamed/deep/leaf') == 'leaf\n'
    owners = {member.name: member.uid for member in tar_of(podctl, 'cp', 'box:/srv', '-')}
    assert owners['srv/made'] == 0 and owners['srv/owned'] == 1234


def tar_of(podctl, *words):
    data = feed(podctl, None, *words).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return tar.getmembers()


def test_cp_refusals(podctl, box, tmp_path):
    (tmp_path / 'file').write_text('x')
    os.mkdir(tmp_path / 'dir')
    for words, text in (
            (('box:/none', tmp_path), '"/none" could not be found'),
            (('box:/srv/file/', tmp_path), 'could not be found'),
            (('box:/srv/dir', tmp_path / 'file'), 'must be a directory'),
            (('box:/srv/file', tmp_path / 'no/where'), 'could not be found'),
            (('box:/srv/file', f'{tmp_path}/none/'), 'could not be found'),
            ((tmp_path / 'dir', 'box:/srv/file'), 'must be a directory'),
            ((tmp_path / 'file', 'box:/no/where'), 'could not be found'),
            ((tmp_path / 'file', 'box:/srv/none/'), 'could not be found'),
            ((tmp_path / 'none', 'box:/srv'), 'could not be found'),
            (('box:/srv/*', tmp_path), 'could not be found'),
            (('nobox:/srv', tmp_path), 'no such container'),
            ((tmp_path / 'file', tmp_path), 'CONTAINER:PATH'),
            (('box:', tmp_path), 'CONTAINER:PATH'),
            (('-', 'box:/srv/file'), 'must be a directory')):
        line = podctl.fails(125, 'cp', *words)
        assert text in line, line
    assert sorted(os.listdir(tmp_path)) == ['dir', 'file'] and not os.listdir(tmp_path / 'dir')


def test_cp_overwrite(podctl, box, tmp_path):
    (tmp_path / 'file').mkdir()
    line = podctl.fails(125, 'cp', 'box:/srv/file', tmp_path)
    assert '--overwrite' in line and (tmp_path / 'file').is_dir()
    podctl('cp', '--overwrite', 'box:/srv/file', tmp_path)
    assert read(tmp_path / 'file') == 'one\n'
    (tmp_path / 'dir').write_text('x')
    assert '--overwrite' in podctl.fails(125, 'cp', 'box:/srv/dir', f'{tmp_path}/.')
    podctl('cp', '--overwrite', 'box:/srv/dir', tmp_path)
    assert read(tmp_path / 'dir/two') == 'two\n'


def test_cp_streams(podctl, box, tmp_path):
    data = feed(podctl, None, 'cp', 'box:/srv/dir', '-').stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert sorted(tar.getnames()) == ['dir', 'dir/sub', 'dir/sub/three', 'dir/two']
        assert tar.getmember('dir/two').mode == 0o4755
        assert tar.getmember('dir/sub/three').uid == 1000
    podctl('cp', 'box:/srv/file', tmp_path)
    feed(podctl, data, 'cp', '-', 'box:/srv/dir/sub')
    podctl('cp', 'box:/srv/dir/sub/dir/two', tmp_path)
    assert read(tmp_path / 'two') == 'two\n'
    done = feed(podctl, b'this is no archive at all' * 100, 'cp', '-', 'box:/srv', check=False)
    assert done.returncode == 125 and b'archive' in done.stderr


def test_cp_between_containers(podctl, box):
    podctl('create', '--name', 'other', '--network=none', IMAGE, 'cat', '/tmp/dir/two')
    podctl('cp', 'box:/srv/dir', 'other:/tmp')
    podctl('cp', 'other:/tmp/dir/two', 'box:/srv/again')
    assert podctl('start', '-a', 'other').stdout == 'two\n'
    podctl('rm', 'other')


@pytest.mark.parametrize('state', ['running', 'stopped'])
def test_cp_volume(podctl, image, tmp_path, state):
    volume = tmp_path / 'volume'
    volume.mkdir()
    (volume / 'there').write_text('from the host\n')
    podctl('create', '--name', 'box', '--network=none', '-v', f'{volume}:/data', '--tmpfs', '/scratch', IMAGE,
           'sleep', '1000')
    if state == 'running':
        podctl('start', 'box')
    podctl('cp', 'box:/data/there', tmp_path)
    podctl('cp', tmp_path / 'there', 'box:/data/new')
    assert read(volume / 'new') == 'from the host\n'
    if state == 'stopped':
        assert 'while the container runs' in podctl.fails(125, 'cp', tmp_path / 'there', 'box:/scratch/x')
    else:
        podctl('cp', tmp_path / 'there', 'box:/scratch/x')
        assert podctl('exec', 'box', 'cat', '/scratch/x').stdout == 'from the host\n'
    podctl('rm', '-f', '-t', '0', 'box')


def test_cp_gives_files_to_the_containers_user(podctl, image, tmp_path):
    (tmp_path / 'file').write_text('x')
    podctl('create', '--name', 'box', '--network=none', '--user', 'user', IMAGE, 'stat', '-c', '%u:%g', '/tmp/file')
    podctl('cp', tmp_path / 'file', 'box:/tmp')
    assert podctl('start', '-a', 'box').stdout == '1000:1000\n'
    podctl('rm', 'box')


@ours
def test_pause_while_copying(podctl, image, tmp_path):
    podctl('run', '-d', '--name', 'box', '--network=none', IMAGE, 'sleep', '1000')
    if podctl('pause', 'box', check=False).code:
        assert '--pause' in podctl.fails(125, 'cp', '--pause', 'box:/etc', tmp_path)
        podctl('rm', '-f', '-t', '0', 'box')
        pytest.skip('no freezer here: refused by name')
    podctl('unpause', 'box')
    podctl('cp', '--pause', 'box:/etc', tmp_path)
    podctl('commit', '-q', '--pause', 'box', 'paused')
    assert podctl.state('box')['Status'] == 'running'
    assert podctl('exec', 'box', 'echo', 'runs').stdout == 'runs\n'
    podctl('pause', 'box')
    podctl('cp', '--pause', 'box:/etc', tmp_path / 'again')
    assert podctl.state('box')['Status'] == 'paused', 'whoever paused it resumes it'
    podctl('unpause', 'box')
    podctl('rm', '-f', '-t', '0', 'box')
    podctl('image', 'rm', 'paused')


MAPPED = ('--uidmap', '0:200000:65536', '--gidmap', '0:200000:65536')


@ours
@pytest.mark.parametrize('state', ['running', 'stopped', 'created'])
def test_user_namespace(podctl, image, tmp_path, state):
    """Ids are the container's on its side, whatever they are outside."""
    script = ('mkdir /srv; echo x >/srv/root; echo y >/srv/user; chown 1000:1000 /srv/user; echo a >>/etc/passwd; '
              'touch /ready; sleep 1000')
    podctl('create', '--name', 'box', '--network=none', *MAPPED, IMAGE, 'sh', '-c', script)
    if state == 'created':
        (tmp_path / 'empty').mkdir()
        podctl('cp', tmp_path / 'empty', 'box:/srv')
    else:
        podctl('start', 'box')
        wait_for(lambda: podctl('exec', 'box', 'test', '-e', '/ready', check=False).code == 0)
        if state == 'stopped':
            podctl('stop', '-t', '0', 'box')
    (tmp_path / 'new').write_text('new\n')
    os.chown(tmp_path / 'new', 7, 7)
    podctl('cp', tmp_path / 'new', 'box:/srv/given')
    podctl('cp', '--archive=false', tmp_path / 'new', 'box:/srv/kept')
    owners = {member.name: (member.uid, member.gid) for member in tar_of(podctl, 'cp', 'box:/srv', '-')}
    assert owners['srv/given'] == owners['srv'] == (0, 0) and owners['srv/kept'] == (7, 7)
    exported = {member.name.rstrip('/'): member.uid for member in tar_of(podctl, 'export', 'box')}
    assert exported['srv/given'] == 0 and exported['srv/kept'] == 7 and exported['bin/busybox'] == 0
    podctl('commit', '-q', 'box', 'mapped')
    show = ('sh', '-c', 'stat -c "%n %u:%g" /srv/* /etc/passwd / /bin/busybox')
    plain = podctl('run', '--rm', '--network=none', 'mapped', *show).stdout
    assert '/srv/given 0:0' in plain and '/srv/kept 7:7' in plain and '/etc/passwd 0:0' in plain
    if state != 'created':
        assert '/srv/user 1000:1000' in plain and '/srv/root 0:0' in plain
        assert owners['srv/user'] == (1000, 1000)
    assert podctl('run', '--rm', '--network=none', *MAPPED, 'mapped', *show).stdout == plain
    if state == 'stopped':
        podctl('start', 'box')
    if state != 'created':
        seen = podctl('exec', 'box', *show).stdout
        assert '/srv/given 0:0' in seen and '/ 0:0' in seen
    podctl('rm', '-f', '-t', '0', 'box')
    podctl('image', 'rm', 'mapped')


def test_cp_leaves_the_root_directory_alone(podctl, image, tmp_path):
    """Looking at a container's files changes nothing of it."""
    podctl('run', '-d', '--name', 'box', '--network=none', IMAGE, 'sh', '-c', 'chmod 1711 /; chown 5:6 /; sleep 1000')
    wait_for(lambda: podctl('exec', 'box', 'stat', '-c', '%u', '/').out == '5')
    podctl('cp', 'box:/etc/passwd', tmp_path)
    podctl('diff', 'box')
    podctl('export', '-o', tmp_path / 'tar', 'box')
    podctl('commit', '-q', 'box', 'rooted')
    assert podctl('exec', 'box', 'stat', '-c', '%a %u:%g', '/').stdout == '1711 5:6\n'
    assert podctl('run', '--rm', '--network=none', 'rooted', 'stat', '-c', '%a %u:%g', '/').stdout == '1711 5:6\n'
    podctl('rm', '-f', '-t', '0', 'box')
    podctl('image', 'rm', 'rooted')


@pytest.mark.parametrize('state', ['running', 'stopped'])
def test_named_volume(podctl, image, tmp_path, state):
    podctl('create', '--name', 'box', '--network=none', '-v', 'files:/data', IMAGE, 'sleep', '1000')
    if state == 'running':
        podctl('start', 'box')
    (tmp_path / 'new').write_text('new\n')
    podctl('cp', tmp_path / 'new', 'box:/data')
    podctl('create', '--name', 'other', '--network=none', '-v', 'files:/there', IMAGE, 'cat', '/there/new')
    podctl('cp', 'other:/there/.', tmp_path / 'out')
    assert read(tmp_path / 'out/new') == 'new\n'
    assert podctl('start', '-a', 'other').stdout == 'new\n'
    podctl('rm', '-f', '-t', '0', 'box', 'other')
    if not podctl('volume', 'rm', 'files', check=False).code == 0:
        podctl.remove_all()


def test_cp_huge_sparse_file(podctl, image, tmp_path):
    podctl('run', '--name', 'box', '--network=none', IMAGE, 'sh', '-c',
           'dd if=/dev/zero of=/srv bs=1 count=0 seek=100G; echo end | dd of=/srv bs=1 seek=50G conv=notrunc')
    podctl('cp', 'box:/srv', tmp_path / 'copy')
    info = os.stat(tmp_path / 'copy')
    assert info.st_size == 100 << 30 and info.st_blocks * 512 < 1 << 20
    data = feed(podctl, None, 'cp', 'box:/srv', '-').stdout
    assert len(data) < 1 << 20
    os.unlink(tmp_path / 'copy')
    feed(podctl, data, 'cp', '-', 'box:/tmp')
    podctl('cp', 'box:/tmp/srv', tmp_path / 'copy')
    with open(tmp_path / 'copy', 'rb') as stream:
        stream.seek(50 << 30)
        assert stream.read(4) == b'end\n'
    assert os.stat(tmp_path / 'copy').st_blocks * 512 < 1 << 20
    podctl('rm', 'box')


# --- export, diff, commit ----------------------------------------------------------------------------------


def test_export(podctl, box, tmp_path):
    before = mount_table()
    podctl('export', '-o', tmp_path / 'tar', 'box')
    assert mount_table() == before
    with tarfile.open(tmp_path / 'tar') as tar:
        names = tar.getnames()
        assert tar.extractfile('srv/dir/sub/three').read() == b'three\n'
        assert tar.getmember('srv/dir/sub/three').uid == 1000
        assert tar.getmember('srv/dir/two').mode == 0o4755
        assert {tar.getmember(f'srv/{name}').type for name in ('file', 'hard')} == {tarfile.LNKTYPE, tarfile.REGTYPE}
    assert 'bin/busybox' in names and 'probe' in names
    assert not [name for name in names if name.startswith(('proc/', 'sys/', 'dev/'))]
    assert sorted(os.listdir(tmp_path)) == ['tar']
    podctl('import', tmp_path / 'tar', 'localhost/again')
    assert podctl('run', '--rm', '--network=none', 'localhost/again', 'cat', '/srv/file').stdout == 'one\n'
    podctl('image', 'rm', 'localhost/again')


def test_export_refuses_a_terminal(podctl, image):
    podctl('create', '--name', 'box', IMAGE, 'true')
    leader, follower = os.openpty()
    done = subprocess.run(podctl.words('export', 'box'), stdout=follower, stderr=subprocess.PIPE, check=False,
                          timeout=60)
    assert done.returncode == 125 and b'terminal' in done.stderr
    os.close(leader)
    os.close(follower)
    podctl('rm', 'box')


def changes(podctl, name):
    return podctl('diff', name).stdout.splitlines()


def test_diff(podctl, image):
    podctl('run', '--name', 'box', '--network=none', IMAGE, 'sh', '-c',
           'echo x >/new; mkdir /newdir; echo y >/newdir/y; rm /etc/group; echo z >>/etc/passwd; rm -r /www; '
           'mkdir /www; echo q >/www/q; mv /bin/cat /bin/dog')
    lines = changes(podctl, 'box')
    for line in ('A /new', 'A /newdir', 'A /newdir/y', 'D /etc/group', 'C /etc/passwd', 'C /etc', 'C /www', 'A /www/q',
                 'D /www/index.html', 'D /bin/cat', 'A /bin/dog', 'C /bin'):
        assert line in lines, (line, lines)
    assert not [line for line in lines if line.split()[1] in ('/proc', '/sys', '/dev', '/etc/hosts')]
    data = podctl.json('diff', '--format', 'json', '-l')
    assert '/new' in data['added'] and '/etc/passwd' in data['changed'] and '/bin/cat' in data['deleted']
    podctl('rm', 'box')
    podctl('create', '--name', 'box', '--network=none', IMAGE, 'true')
    assert changes(podctl, 'box') == []
    assert podctl.json('diff', '--format', 'json', 'box') == {}
    podctl('rm', 'box')


SCRIPT = ('echo x >/new; rm /etc/group; echo "z:x:9:9::/:/bin/sh" >>/etc/passwd; rm -r /www; mkdir -m 1750 /www; '
          'echo q >/www/q; mv /bin/cat /bin/dog; ln -s /nowhere /dangling; ln /new /other; mkfifo /fifo; '
          'chown 1000:1000 /other; mkdir /deep; chmod 4755 /www/q; touch /deep/.wh.evil')
LIST = r'find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /etc/hosts -o -path ' \
       r'/etc/resolv.conf -o -path /etc/hostname \) -prune -o -exec stat -c "%n %F %a %u:%g %s %h %N" {} + | ' \
       r'grep -v "^/ \|directory\|\.wh\.evil" | sort; stat -c "%n %a %u:%g" /www /deep'


@pytest.mark.parametrize('state', ['running', 'stopped'])
@pytest.mark.parametrize('squash', [False, True])
def test_commit(podctl, image, tmp_path, state, squash):
    before = mount_table()
    podctl('run', '-d', '--name', 'box', '--network=none', '-e', 'FOO=a "b" c', '--label', 'x=y', IMAGE, 'sh', '-c',
           f'{SCRIPT}; {{ {LIST}; }} >/tmp/list; touch /ready; sleep 1000')
    wait_for(lambda: podctl('exec', 'box', 'test', '-e', '/ready', check=False).code == 0)
    if state == 'stopped':
        podctl('stop', '-t', '0', 'box')
    line = podctl('commit', '-q', *(['--squash'] if squash else []), '--author', 'me', '--message', 'why',
                  '--change', 'CMD ["echo", "ran"]', '--change', 'ENV BAR=2', '--iidfile', tmp_path / 'id', 'box',
                  'committed:v1').out
    assert read(tmp_path / 'id') == line and len(line) == 64
    assert mount_table() == before
    data = podctl.inspect('localhost/committed:v1')
    assert data['Author'] == 'me' and 'FOO=a "b" c' in data['Config']['Env'] and 'BAR=2' in data['Config']['Env']
    assert data['Config']['Cmd'] == ['echo', 'ran'] and data['Config']['Labels']['x'] == 'y'
    assert len(data['RootFS']['Layers']) == (1 if squash else 2)
    assert podctl('run', '--rm', '--network=none', 'committed:v1').stdout == 'ran\n'
    podctl('cp', 'box:/tmp/list', tmp_path / 'list')
    new = podctl('run', '--rm', '--network=none', 'committed:v1', 'sh', '-c', LIST).stdout

    def rows(text):
        return [row for row in text.splitlines() if not row.startswith(('/tmp/list', '/ready'))]
    assert rows(new) == rows(read(tmp_path / 'list'))
    podctl('rm', '-f', '-t', '0', 'box')
    podctl('image', 'rm', 'committed:v1')


def test_commit_of_a_commit(podctl, image):
    podctl('run', '--name', 'box', '--network=none', IMAGE, 'sh', '-c', 'echo 1 >/one; rm /etc/group')
    podctl('commit', '-q', 'box', 'first')
    podctl('run', '--name', 'next', '--network=none', 'first', 'sh', '-c', 'echo 2 >/two; rm /one; echo g >/etc/group')
    podctl('commit', '-q', 'next', 'second')
    assert podctl('run', '--rm', '--network=none', 'second', 'sh', '-c', 'cat /two /etc/group; ls /one 2>&1; true').stdout \
        .startswith('2\ng\nls: /one')
    podctl('rm', 'box', 'next')
    podctl('image', 'rm', 'first', 'second')


def store_blob(digest):
    with open(f'/var/lib/podctl/images/blobs/sha256/{digest.removeprefix("sha256:")}', 'rb') as stream:
        return stream.read()


@ours
@pytest.mark.parametrize('kind', ['docker', 'oci'])
def test_commit_is_what_the_specification_says(podctl, image, rootfs, tmp_path, kind):
    """Digests, sizes and types, on an image of several layers that came from elsewhere."""
    busybox = open(f'{rootfs}/bin/busybox', 'rb').read()
    layers = [images.layer({'bin': None, 'bin/busybox': busybox, 'bin/sh': ('link', 'busybox'), 'old': 'x'}),
              images.layer({'.wh.old': '', 'second': 'y'})]
    path = str(tmp_path / 'image')
    (images.docker_archive if kind == 'docker' else images.oci_layout)(
        path, 'localhost/many:v1', layers, Env=['PATH=/bin'], Entrypoint=['/bin/busybox'], Cmd=['true'], User='1:1')
    podctl('image', 'load', '-i', path)
    podctl('run', '--name', 'box', '--network=none', '--user', '0', 'many:v1', 'rm', '/second')
    podctl('commit', '-q', '-m', 'note', 'box', 'more:v1')
    data = podctl.inspect('more:v1')
    manifest = json.loads(store_blob(data['Digest']))
    config = json.loads(store_blob(manifest['config']['digest']))
    assert manifest['mediaType'] == 'application/vnd.oci.image.manifest.v1+json'
    assert manifest['config']['digest'] == 'sha256:' + data['Id'].removeprefix('sha256:')
    assert len(manifest['layers']) == len(config['rootfs']['diff_ids']) == len(config['history']) == 3
    for layer, diff_id in zip(manifest['layers'], config['rootfs']['diff_ids']):
        assert layer['mediaType'].startswith('application/vnd.oci.image.layer.v1.tar')
        blob = store_blob(layer['digest'])
        assert len(blob) == layer['size'] and 'sha256:' + images.sha256(blob) == layer['digest']
        plain = gzip.decompress(blob) if layer['mediaType'].endswith('+gzip') else blob
        assert 'sha256:' + images.sha256(plain) == diff_id
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(store_blob(manifest['layers'][2]['digest'])))) as tar:
        names = [name.removeprefix('./') for name in tar.getnames()]
        assert '.wh.second' in names
    assert config['history'][2]['comment'] == 'note' and config['config']['Entrypoint'] == ['/bin/busybox']
    assert config['config']['User'] == '0' and config['config']['Cmd'] == ['rm', '/second']
    assert podctl('run', '--rm', '--network=none', 'more:v1', 'ls', '/').stdout.split()[0] == 'bin'
    assert 'second' not in podctl('run', '--rm', '--network=none', 'more:v1', 'ls', '/').stdout
    podctl('rm', 'box')
    podctl('image', 'rm', 'many:v1', 'more:v1')


def test_commit_refusals(podctl, image):
    podctl('create', '--name', 'box', '--network=none', IMAGE, 'true')
    assert '--format=docker' in podctl.fails(125, 'commit', '--format', 'docker', 'box', 'x')
    assert '--format=rpm' in podctl.fails(125, 'commit', '--format', 'rpm', 'box', 'x')
    assert 'MAGIC' in podctl.fails(125, 'commit', '--change', 'MAGIC 1', 'box', 'x')
    assert 'no such container' in podctl.fails(125, 'commit', 'nobox', 'x')
    podctl.fails(125, 'commit', 'box', 'Not A Name')
    podctl('rm', 'box')


def test_commits_at_the_same_time(podctl, image):
    podctl('run', '--name', 'box', '--network=none', IMAGE, 'sh', '-c', 'dd if=/dev/urandom of=/big bs=1M count=8')
    running = [podctl.start('commit', '-q', 'box', f'same:{i}', stdout=subprocess.DEVNULL) for i in range(6)]
    assert [process.wait(60) for process in running] == [0] * 6
    for i in range(6):
        assert podctl('run', '--rm', '--network=none', f'same:{i}', 'stat', '-c', '%s', '/big').out == str(8 << 20)
    podctl('rm', 'box')
    podctl('image', 'rm', *(f'same:{i}' for i in range(6)))


def test_commit_killed(podctl, image):
    podctl('run', '--name', 'box', '--network=none', IMAGE, 'sh', '-c', 'dd if=/dev/urandom of=/big bs=1M count=16')
    for delay in (0.01, 0.03, 0.1, 0.2, 0.4):
        process = podctl.start('commit', '-q', 'box', 'killed', stdout=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    podctl('commit', '-q', 'box', 'killed')
    assert podctl('run', '--rm', '--network=none', 'killed', 'stat', '-c', '%s', '/big').out == str(16 << 20)
    podctl('rm', 'box')
    podctl('image', 'rm', 'killed')
