# SPDX-License-Identifier: LGPL-2.1-or-later
"""podctl's own processes: what they leave open, what they may be read by, which files they run, what they
load. Named after the catalogue's rows."""
import collections
import ctypes
import os
import re
import shutil
import struct
import subprocess

import pytest

from lib.command import IS_PODMAN, wait_for
from lib.programs import build

pytestmark = pytest.mark.skipif(IS_PODMAN, reason='about our own processes')
NONE = '--network=none'
IMAGE = 'localhost/test:latest'
SANITIZED = bool(os.environ.get('PODCTL_TEST_SANITIZER_LOGS'))


# --- A09.2: umask -----------------------------------------------------------------------------

def below(*tops):
    """(path, mode) of what podctl keeps; a container's own files are the container's matter."""
    for top in tops:
        for folder, directories, names in os.walk(top):
            directories[:] = [name for name in directories if name not in ('upper', 'root', 'layers', 'data', 'work')]
            for name in names + directories:
                path = os.path.join(folder, name)
                if not os.path.islink(path):
                    yield path, os.lstat(path).st_mode


@pytest.mark.parametrize('mask', [0, 0o777], ids=['none', 'all'])
def sec_A09_2_umask(podctl, image, tmp_path, mask):
    """Inside it is 0022; what podctl writes has the same modes with any umask of its caller."""
    def run(*words, **more):
        return podctl(*words, preexec_fn=lambda: os.umask(mask), **more).out
    before = set(below('/run/podctl', '/var/lib/podctl'))
    run('run', '-d', '--name', 'c1', NONE, '--cidfile', tmp_path / 'id', '-v', 'umasked:/v', image, 'sh', '-c',
        'umask; : >/file; mkdir /dir; sleep 100')
    podctl('exec', 'c1', 'true')
    try:
        assert run('exec', 'c1', 'sh', '-c', 'umask; stat -c %a /file /dir').split() == ['0022', '644', '755']
        assert podctl('logs', 'c1').out == '0022'
        made = set(below('/run/podctl', '/var/lib/podctl')) - before
        assert len(made) > 5
        assert not [f'{path} {mode:o}' for path, mode in made if mode & 0o022 and not path.endswith('/attach')]
        assert not [f'{path} {mode:o}' for path, mode in made if not mode & 0o400], 'unreadable for podctl itself'
        # what is the caller's own follows the caller's
        run('export', '-o', tmp_path / 'out.tar', 'c1')
        assert os.stat(tmp_path / 'out.tar').st_mode & 0o777 == 0o644 & ~mask
        # a user inside reads the limits and reaches the socket for READY=1
        assert run('run', '--rm', NONE, '--user', 'user', '--sdnotify', 'container', image, 'sh', '-c',
                   'ls /sys/fs/cgroup >/dev/null && echo fine', env={**os.environ, 'NOTIFY_SOCKET': '/dev/null'}) == 'fine'
    finally:
        podctl('rm', '-f', '-t', '0', 'c1')
        podctl('volume', 'rm', 'umasked')


# --- A11.2: close-on-exec ---------------------------------------------------------------------

MAKES = {'open', 'openat', 'openat2', 'socket', 'socketpair', 'accept4', 'pipe2', 'dup3', 'memfd_create', 'epoll_create1',
         'eventfd2', 'signalfd4', 'timerfd_create', 'inotify_init1', 'fsopen', 'fsmount', 'open_tree', 'fspick',
         'perf_event_open', 'fanotify_init', 'userfaultfd'}
NEVER = {'accept', 'pipe', 'dup', 'epoll_create', 'eventfd', 'signalfd', 'inotify_init', 'creat'}
# What libraries open without it: public files, and nftables its socket, which the next test looks for.
LIBRARIES = re.compile(r'"/dev/urandom"|"/etc/(iproute2/|connlabel.conf)|/gconv/|/charset.alias"|NETLINK_NETFILTER')
CALL = re.compile(r'^(\d+) +(\w+)\((.*)')


def audit(trace):
    """Calls of our programs that make a descriptor which an execve would pass on."""
    programs, bad, counts = collections.defaultdict(lambda: 'podctl'), [], collections.Counter()
    for line in trace.split('\n'):
        match = CALL.match(line)
        if not match:
            continue
        pid, name, rest = match.groups()
        if name in ('clone', 'clone3', 'fork', 'vfork'):
            child = re.search(r'= (\d+)$', rest)
            if child:
                programs[child.group(1)] = programs[pid]
            continue
        if name in ('execve', 'execveat'):
            if rest.endswith('= 0') or 'unfinished' in rest:
                words = re.search(r'\["([^"]*)"', rest)
                programs[pid] = os.path.basename(words.group(1)) if words else '?'
            continue
        if not programs[pid].startswith('podctl'):
            continue
        counts[name] += 1
        # 0 to 2 are to be passed on; so is the hand-off, which a child puts at 3 as its last act before execve
        meant = re.search(r'= [012]$', rest) or (name == 'dup3' and re.match(r'\d+, [0123], 0', rest))
        if name in NEVER or (name in MAKES and 'CLOEXEC' not in rest and not meant and not LIBRARIES.search(rest)) or \
                (name == 'recvmsg' and 'SCM_RIGHTS' in rest and 'MSG_CMSG_CLOEXEC' not in rest) or \
                (name == 'fcntl' and 'F_DUPFD,' in rest) or \
                (name == 'dup2' and not re.search(r', [012]\)', rest)):
            bad.append(f'{programs[pid]}: {line}')
    return bad, counts


@pytest.mark.skipif(not shutil.which('strace'), reason='needs strace')
@pytest.mark.skipif(SANITIZED, reason='the sanitizer opens files of its own')
@pytest.mark.limit(300)
def sec_A11_2_every_descriptor_is_close_on_exec(podctl, image, rootfs_tar, tmp_path):
    """Nothing is ever open without it, so that no execve can pass on what was not meant for it."""
    commands = [
        ['image', 'load', '-i', tmp_path / 'image.tar'],
        ['volume', 'create', 'v1'],
        ['pod', 'create', '--name', 'p1', '-p', '127.0.0.1:18080:80'],
        ['pod', 'add', '--name', 'm1', 'p1', image, 'sleep', '100'],
        ['run', '-d', '--name', 'c1', NONE, '-v', 'v1:/v', '--tmpfs', '/t', '--init', '--uidmap', '0:100000:65536',
         image, 'sh', '-c', 'echo line; sleep 100'],
        ['exec', 'c1', 'true'],
        ['exec', '-d', 'c1', 'true'],
        ['cp', tmp_path / 'file', 'c1:/'],
        ['export', '-o', tmp_path / 'out.tar', 'c1'],
        ['logs', 'c1'], ['ps', '-a'], ['inspect', 'c1'], ['top', 'c1'], ['stats', '--no-stream', 'c1'],
        ['restart', '-t', '0', 'c1'], ['diff', 'c1'], ['commit', '-q', 'c1', 'localhost/committed:1'],
        ['stop', '-t', '0', 'c1'], ['rm', 'c1'],
        ['run', '--rm', NONE, image, 'true'],
        ['pod', 'rm', '-f', '-t', '0', 'p1'], ['volume', 'rm', 'v1'], ['image', 'rm', 'localhost/committed:1']]
    (tmp_path / 'file').write_text('x')
    podctl('image', 'save', '-o', tmp_path / 'image.tar', image, check=False)
    if not os.path.exists(tmp_path / 'image.tar'):
        commands.pop(0)
    found, seen = [], collections.Counter()
    try:
        for words in commands:
            trace = tmp_path / 'trace'
            # Not all of a detached container's processes end: -D would lose them, a pipe would be held.
            with open(tmp_path / 'output', 'wb') as output:
                process = subprocess.Popen(['strace', '-f', '-I', '2', '-qq', '-s', '80', '-e', 'signal=none', '-e',
                                            'trace=%desc,%process,%network', '-o', trace, *podctl.words(*words)],
                                           stdout=output, stderr=output, stdin=subprocess.DEVNULL)
                wait_command(process)
            with open(trace, encoding='utf-8', errors='replace') as stream:
                bad, counts = audit(stream.read())
            found += bad
            seen += counts
            with open(tmp_path / 'output', encoding='utf-8', errors='replace') as stream:
                text = stream.read()
            assert not text.startswith('Error: '), (words, text)
    finally:
        podctl('pod', 'rm', '-f', '-t', '0', '-i', 'p1', check=False)
        podctl('rm', '-f', '-i', '-t', '0', 'c1', check=False)
        podctl('volume', 'rm', '-f', 'v1', check=False)
    assert seen['openat'] > 100 and seen['socketpair'] > 3 and seen['pipe2'] and seen['openat2'] > 10, seen
    assert not found, '\n'.join(sorted(set(found))[:40])


def wait_command(process):
    """strace stays as long as anything it follows: it is sent away when the command itself has ended."""
    def child():
        # strace tries things in children of its own first
        with open(f'/proc/{process.pid}/task/{process.pid}/children', encoding='ascii') as stream:
            return [pid for pid in stream.read().split() if title(pid).startswith(b'podctl')]
    first = wait_for(lambda: process.poll() is not None or child())
    if first is not True:
        wait_for(lambda: process.poll() is not None or state(first[0]) == 'Z', 60)
    if process.poll() is None:
        process.terminate()
    process.wait(20)


def title(pid):
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as stream:
            return stream.read()
    except OSError:
        return b''


def state(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as stream:
            return stream.read().rpartition(')')[2].split()[0]
    except OSError:
        return 'Z'


def sec_A11_2_of_the_supervisor(podctl, image):
    """What stays beside a container holds what it needs: no files of the image, no netlink, no locks."""
    podctl('pod', 'create', '--name', 'p1', '-p', '127.0.0.1:18081:80')
    podctl('run', '-d', '-i', '--name', 'c1', '--pod', 'p1', '-v', 'v1:/v', image, 'sleep', '100')
    pids = {'supervisor': podctl.state('c1')['ConmonPid'], 'infra': podctl.infra_pid('p1')}
    with open('/proc/net/unix', encoding='ascii') as stream:
        local = {line.split()[6] for line in stream.read().split('\n')[1:] if line}
    odd = []
    for name, pid in pids.items():
        for fd in os.listdir(f'/proc/{pid}/fd'):
            link = os.readlink(f'/proc/{pid}/fd/{fd}')
            with open(f'/proc/{pid}/fdinfo/{fd}', encoding='ascii') as stream:
                flags = int(re.search(r'flags:\s+(\d+)', stream.read()).group(1), 8)
            socket = re.fullmatch(r'socket:\[(\d+)\]', link)
            if socket and socket.group(1) not in local:
                odd.append(f'{name}: {fd} is a socket that is not local')
            elif not socket and not re.match(r'/dev/null$|pipe:|anon_inode:|/run/podctl/.*|/var/lib/podctl/.*\.log$|'
                                             r'/memfd:|/sys/fs/cgroup/|/var/lib/podctl/containers/\w+/data$', link):
                odd.append(f'{name}: {fd} is {link}')
            elif int(fd) > 2 and not flags & os.O_CLOEXEC:
                odd.append(f'{name}: {fd} ({link}) would be passed on')
    podctl('pod', 'rm', '-f', '-t', '0', 'p1')
    podctl('volume', 'rm', 'v1')
    assert not odd, '\n'.join(odd)


# --- A16.3: helpers ---------------------------------------------------------------------------

@pytest.fixture
def watched_helpers(tmp_path):
    """podctl's directory with a podctl-unpack that tells what it was given, and a PATH full of strangers."""
    folder, report = tmp_path / 'lib', tmp_path / 'report'
    folder.mkdir()
    for name in os.listdir('/usr/lib/podctl'):
        os.symlink(f'/usr/lib/podctl/{name}', folder / name)
    (folder / 'podctl-unpack').unlink()
    (folder / 'podctl-unpack').write_text(
        f'#!/bin/sh\n{{ /usr/bin/env; echo FDS; ls -l /proc/$$/fd; }} >>{report} 2>&1\n'
        'exec /usr/lib/podctl/podctl-unpack "$@"\n')
    (folder / 'podctl-unpack').chmod(0o755)
    strangers = tmp_path / 'bin'
    strangers.mkdir()
    for name in ('nft', 'tar', 'gzip', 'sh', 'modprobe', 'podctl-unpack'):
        (strangers / name).write_text(f'#!/bin/sh\necho stranger >>{report}\nexit 1\n')
        (strangers / name).chmod(0o755)
    # the only one that is looked up
    (strangers / 'skopeo').write_text(f'#!/bin/sh\n/usr/bin/env >>{report}\nexec {shutil.which("skopeo")} "$@"\n')
    (strangers / 'skopeo').chmod(0o755)
    return folder, strangers, report


def sec_A16_3_helpers_have_a_small_environment(podctl, image, rootfs_tar, watched_helpers, tmp_path):
    """skopeo and podctl-unpack get nothing of the caller's environment but what names their files."""
    folder, strangers, report = watched_helpers
    from lib import images
    with open(rootfs_tar, 'rb') as stream:
        data = stream.read() + b'\0' * 512  # a layer that is not there yet
    images.docker_archive(tmp_path / 'new.tar', 'localhost/helped:1', [data])
    program = shutil.which('podctl')
    evil = {name: '/evil' for name in ('GCONV_PATH', 'BASH_ENV', 'ENV', 'PYTHONPATH', 'CANARY', 'http_proxy', 'LD_AUDIT_X',
                                       'CONTAINERS_CONF', 'REGISTRY_AUTH_FILE', 'SHELLOPTS', 'TMPDIR')}
    environment = {**evil, 'PATH': str(strangers), 'HOME': '/root', 'PODCTL_LIBDIR': str(folder)}
    done = subprocess.run([program, 'image', 'load', '-i', tmp_path / 'new.tar'], env=environment, timeout=60,
                          capture_output=True, text=True, check=False)
    podctl('image', 'rm', 'localhost/helped:1', check=False)
    assert done.returncode == 0, done.stderr
    text = report.read_text()
    assert 'evil' not in text and 'stranger' not in text and str(strangers) not in text, text
    assert text.count('LC_ALL=') >= 2 and 'FDS' in text, 'skopeo and podctl-unpack'
    names = set(re.findall(r'^(\w+)=', text, re.MULTILINE))
    assert names <= {'PATH', 'PWD', 'LC_ALL', 'SHLVL', '_', 'HOME', 'TMPDIR'}, names
    # the script's own descriptor apart: standard ones, the layer, the directory it goes to
    links = [line.split(' -> ')[1] for line in text.split('FDS\n')[1].split('\n') if ' -> ' in line and str(folder) not in line]
    assert len(links) <= 8 and not [link for link in links if link.startswith(('/etc', '/root', '/usr'))], links


# --- A17.2, A18: who can get at them ------------------------------------------------------------

def sec_A17_2_others_cannot_read_them(podctl, image):
    """Supervisor and infra are not dumpable: the same user without capabilities reads nothing of them.
    What joins a container is hunted from inside by vuln_B1_04."""
    podctl('pod', 'create', '--name', 'p1')
    podctl('run', '-d', '--name', 'c1', '--pod', 'p1', image, 'sleep', '100')
    plain = subprocess.Popen(['setpriv', '--bounding-set=-all', '--inh-caps=-all', 'sleep', '100'])

    def readable(pid):
        return subprocess.run(['setpriv', '--bounding-set=-all', '--inh-caps=-all', 'cat', f'/proc/{pid}/environ'],
                              capture_output=True, check=False).returncode == 0
    try:
        wait_for(lambda: title(plain.pid).startswith(b'sleep'))
        assert readable(plain.pid), 'the measure itself'
        assert not readable(podctl.state('c1')['ConmonPid'])
        assert not readable(podctl.infra_pid('p1'))
    finally:
        plain.kill()
        plain.wait()
        podctl('pod', 'rm', '-f', '-t', '0', 'p1')


@pytest.fixture
def instead_of_last_step(tmp_path):
    """PODCTL_LIBDIR with a podctl-exec that looks at itself."""
    folder = tmp_path / 'lib'
    folder.mkdir()
    for name in os.listdir('/usr/lib/podctl'):
        os.symlink(f'/usr/lib/podctl/{name}', folder / name)
    (folder / 'podctl-exec').unlink()
    shutil.copy(build('lastprogram'), folder / 'podctl-exec')
    return folder


@pytest.mark.parametrize('options', [(), ('--cap-add', 'SYS_ADMIN', '--security-opt', 'seccomp=unconfined'),
                                     ('--user', 'user'), ('--init',)], ids=['default', 'admin', 'user', 'init'])
def sec_A18_1_the_hosts_program_inside_cannot_be_changed(podctl, image, instead_of_last_step, options):
    """security: A18.2. The program that runs in a container before its own: a mount of its own that is
    read-only, so that not even its owner, root, can write it through /proc/self/exe (B1-01)."""
    if '--init' in options:
        shutil.copy(build('lastprogram'), instead_of_last_step / 'podctl-init.new')
        os.replace(instead_of_last_step / 'podctl-init.new', instead_of_last_step / 'podctl-init')
    program = instead_of_last_step / 'podctl-exec'
    before = program.read_bytes(), os.stat(program)
    result = podctl('run', '--rm', NONE, *options, image, 'true', check=False,
                    env={**os.environ, 'PODCTL_LIBDIR': str(instead_of_last_step)})
    found = dict(re.findall(r'(\w+)="?([^"\n]*?)"?(?: |$)(?=\w+=|$)', result.stdout.strip()))
    assert found.get('readonly') == '1' and found['nosuid'] == '1', result
    for act in ('write', 'truncate', 'chmod', 'link', 'remount'):
        assert found[act] != 'done', (act, result)
    assert found['truncate'] in ('Read-only file system', 'Permission denied'), result
    assert (program.read_bytes(), os.stat(program).st_mode, os.stat(program).st_nlink) == \
        (before[0], before[1].st_mode, before[1].st_nlink)


# --- B18-05: the C library in a container -------------------------------------------------------

class Opens:
    """Names that are opened in some directories."""

    def __init__(self, *directories):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        self.watches = {}
        for directory in directories:
            self.watches[self.libc.inotify_add_watch(self.fd, os.fsencode(directory), 0x20)] = str(directory)

    def names(self):
        found = set()
        while True:
            try:
                data = os.read(self.fd, 65536)
            except BlockingIOError:
                return found
            while data:
                watch, _, _, length = struct.unpack_from('iIII', data)
                name = data[16:16 + length].rstrip(b'\0').decode()
                if name:
                    found.add(os.path.join(self.watches[watch], name))
                data = data[16 + length:]

    def close(self):
        os.close(self.fd)


@pytest.mark.skipif(SANITIZED, reason='the sanitizer opens files of its own')
def vuln_B18_05_no_library_of_the_container(podctl, rootfs, tmp_path):
    """A process of ours whose root is the container reads its passwd and group, and no other file of a C library:
    no name services, no character sets, no locale, no time zone, no loader's configuration."""
    root = tmp_path / 'root'
    subprocess.run(['cp', '-a', rootfs, str(root)], check=True)
    folders = ['etc', 'lib', 'lib64', 'lib/x86_64-linux-gnu', 'usr/lib', 'usr/lib/gconv', 'usr/lib/x86_64-linux-gnu/gconv',
               'usr/lib/locale', 'usr/share/zoneinfo', 'usr/share/locale', 'etc/ld.so.conf.d']
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name in ('etc/nsswitch.conf', 'etc/ld.so.preload', 'etc/ld.so.cache', 'etc/localtime', 'etc/locale.alias', 'etc/host.conf',
                 'etc/gai.conf', 'lib/libnss_files.so.2', 'usr/lib/libnss_files.so.2', 'usr/lib/gconv/gconv-modules',
                 'usr/lib/locale/locale-archive', 'etc/shadow', 'etc/login.defs'):
        (root / name).write_text('\0')
    opens = Opens(*[str(root / folder) for folder in folders])
    environment = {**os.environ, 'LANG': 'de_DE.UTF-8', 'LC_ALL': 'de_DE.ISO-8859-1', 'TZ': 'Europe/Berlin', 'CHARSET': 'x'}
    # the program itself is static and looks nothing up
    podctl('run', '-d', '--name', 'c1', NONE, '--user', 'user:extra', '--group-add', 'root', '--rootfs', root, '/probe', 'sleep',
           env=environment)
    podctl('exec', '-u', 'user', 'c1', '/probe', 'exit', '0', env=environment)
    podctl('run', '--rm', NONE, '--user', '4321', '--hostname', 'caf', '--init', '--rootfs', root, '/probe', 'exit', '0',
           env=environment)
    podctl('top', 'c1', env=environment)
    podctl('rm', '-f', '-t', '0', 'c1')
    found = {os.path.relpath(name, root) for name in opens.names()}
    opens.close()
    assert {'etc/passwd', 'etc/group'} <= found, 'the measure itself'
    made = {'etc/hosts', 'etc/hostname', 'etc/resolv.conf', 'etc/mtab'}
    assert not found - {'etc/passwd', 'etc/group'} - made - set(folders) - {'lib/x86_64-linux-gnu'}, found
