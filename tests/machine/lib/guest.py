# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes what a virtual machine boots: a kernel, an initrd and a root disk. Kept in a cache with a key.

The root is made of this machine's own installed packages: those named below and all that they depend
on, file by file, so that nothing but the kernel is fetched and the libraries fit the build. The kernel
comes from its package, unpacked and never installed. Everything is made under a temporary name and
renamed; one maker at a time; a second run takes what is there.
"""
import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile

CACHE = os.environ.get('PODCTL_MACHINE_CACHE', '/var/cache/podctl-machine')
KERNEL_PACKAGE = 'linux-image-cloud-amd64'
# What a small system with podctl needs; podctl's own libraries are added from the staged programs.
PACKAGES = ('base-files', 'bash', 'busybox-static', 'coreutils', 'dash', 'dbus', 'findutils', 'grep', 'iproute2',
            'kmod', 'mount', 'nftables', 'procps', 'python3', 'sed', 'systemd', 'util-linux')
# Nothing runs these when the packages' files are only copied.
UNUSED = ('debconf', 'dpkg', 'perl-base', 'passwd', 'adduser', 'media-types', 'python3-distutils', 'install-info')
LEFT_OUT = re.compile(r'/usr/share/(doc|man|info|locale|lintian|bug|perl|zoneinfo|i18n|common-licenses|bash-completion)(/|$)'
                      r'|/usr/lib/[^/]*/(gconv|perl-base)/|/usr/lib/udev/hwdb|/etc/(apt|cron|init\.d)|\.pyc$')
MODULES = ('fs/overlayfs', 'fs/fuse', 'block', 'lib', 'crypto', 'net/netfilter', 'net/bridge', 'net/ipv4', 'net/ipv6',
           'net/802', 'net/llc', 'net/sched', 'drivers/virtio', 'drivers/block/virtio_blk', 'drivers/block/loop',
           'drivers/char/virtio_console', 'drivers/char/hw_random', 'drivers/net/veth', 'drivers/net/tun',
           'drivers/net/macvlan', 'drivers/net/dummy')
EARLY_MODULES = ('virtio_pci', 'virtio_blk', 'virtio_console', 'ext4', 'overlay')
# Units that only cost time where every cycle is emulated.
MASKED = ('systemd-hwdb-update', 'systemd-journal-catalog-update', 'systemd-random-seed', 'systemd-pstore',
          'systemd-update-utmp', 'systemd-update-utmp-runlevel', 'systemd-update-done', 'systemd-sysusers',
          'systemd-firstboot', 'systemd-binfmt', 'systemd-logind', 'systemd-user-sessions', 'systemd-boot-system-token',
          'systemd-machine-id-commit', 'systemd-journal-flush', 'systemd-tmpfiles-setup', 'systemd-tmpfiles-setup-dev',
          'systemd-remount-fs', 'systemd-sysext', 'systemd-networkd', 'systemd-modules-load', 'ldconfig', 'kmod-static-nodes',
          'modprobe@configfs', 'modprobe@dm_mod', 'modprobe@drm', 'modprobe@efi_pstore', 'modprobe@fuse', 'modprobe@loop')
MASKED_OTHER = ('dev-hugepages.mount', 'dev-mqueue.mount', 'sys-kernel-debug.mount', 'sys-kernel-tracing.mount',
                'sys-kernel-config.mount', 'sys-fs-fuse-connections.mount', 'systemd-tmpfiles-clean.timer',
                'getty.target', 'remote-fs.target', 'systemd-ask-password-wall.path', 'systemd-ask-password-console.path',
                'proc-sys-fs-binfmt_misc.automount', 'systemd-initctl.socket', 'systemd-journald-audit.socket')
DISK_SIZE = '2G'

INIT = '''#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
for module in $(cat /modules/order); do insmod "/modules/$module"; done
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
mount -t ext4 -o rw /dev/vda /root || exec sh -c 'echo "no root disk"; poweroff -f'
[ ! -d /stage ] || cp -a /stage/. /root/
mount -o move /dev /root/dev
umount /proc
exec switch_root /root /lib/systemd/systemd
'''
AGENT_UNIT = '''[Unit]
Description=Runs the commands of the tests
DefaultDependencies=no
After=systemd-journald.socket

[Service]
ExecStart=/usr/bin/python3 -I -S /usr/lib/podctl-test/agent.py
KillMode=process
TasksMax=infinity
OOMScoreAdjust=-900
Restart=always

[Install]
WantedBy=sysinit.target
'''


class GuestError(Exception):
    """The guest cannot be made here: the reason."""


def run(*words, **more):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=more.pop('timeout', 120), **more)
    if done.returncode:
        raise GuestError(f'{words[0]}: {(done.stderr or done.stdout).strip()[-500:]}')
    return done.stdout


def installed_packages():
    """name: (version, names it depends on), of what is installed; what is only provided counts too."""
    text = run('dpkg-query', '-W', '-f', '${db:Status-Status}\t${Package}\t${Version}\t${Pre-Depends}, ${Depends}'
               '\t${Provides}\n')
    packages, provided = {}, {}
    for line in text.split('\n'):
        fields = line.split('\t')
        if len(fields) != 5 or fields[0] != 'installed':
            continue
        _, name, version, needs, provides = fields
        clauses = [re.sub(r'\s*\(.*?\)|:\w+', '', clause).split('|') for clause in needs.split(',')]
        packages[name] = (version, [[word.strip() for word in clause if word.strip()] for clause in clauses])
        for word in re.sub(r'\s*\(.*?\)', '', provides).split(','):
            provided.setdefault(word.strip(), name)
    return packages, provided


def library_packages(stage):
    """The packages of the shared libraries of the staged programs."""
    libraries = set()
    for folder, _, names in os.walk(stage):
        for name in names:
            with open(f'{folder}/{name}', 'rb') as stream:
                if stream.read(4) != b'\x7fELF':
                    continue
            done = subprocess.run(['ldd', f'{folder}/{name}'], capture_output=True, text=True, check=False)
            libraries |= set(re.findall(r'=> (/\S+)', done.stdout))
    # Which of its names the package lists differs: with or without /usr, the link or its target.
    ways = {path for library in libraries for real in (library, os.path.realpath(library))
            for path in (real, re.sub('^/usr', '', real))}
    done = subprocess.run(['dpkg-query', '-S', *sorted(ways)], capture_output=True, text=True, check=False)
    return {line.split(':')[0] for line in done.stdout.split('\n') if line.endswith(tuple(ways))}


def closure(names):
    """name: version of these packages and of what they depend on."""
    packages, provided = installed_packages()
    chosen, waiting = {}, [name for name in names]
    for name in waiting:
        if name not in packages:
            raise GuestError(f'package {name} is not installed')
    while waiting:
        name = waiting.pop()
        if name in chosen or name in UNUSED:
            continue
        version, clauses = packages[name]
        chosen[name] = version
        for alternatives in clauses:
            for word in alternatives:
                word = word if word in packages else provided.get(word)
                if word:
                    waiting.append(word)
                    break
    return chosen


def package_files(name):
    lists = glob.glob(f'/var/lib/dpkg/info/{name}.list') + glob.glob(f'/var/lib/dpkg/info/{name}:*.list')
    for path in lists:
        with open(path, encoding='utf-8') as stream:
            yield from stream.read().split('\n')


def copy_packages(names, root):
    """The files of packages as they are on this machine, with /bin and its like as links where they are."""
    for top in ('bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'):
        if os.path.islink(f'/{top}'):
            os.makedirs(f'{root}/{os.readlink("/" + top)}', exist_ok=True)
            os.symlink(os.readlink(f'/{top}'), f'{root}/{top}')
    directories = {}
    for name in names:
        for path in package_files(name):
            if not path or path == '/.' or LEFT_OUT.search(path):
                continue
            folder, base = os.path.split(path)
            real = os.path.join(os.path.realpath(folder), base)
            target = root + real
            try:
                info = os.lstat(real)
            except OSError:
                continue
            if stat.S_ISDIR(info.st_mode):
                directories[target] = info
                os.makedirs(target, exist_ok=True)
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if os.path.lexists(target):
                continue
            if stat.S_ISLNK(info.st_mode):
                os.symlink(os.readlink(real), target)
            elif stat.S_ISREG(info.st_mode):
                shutil.copy2(real, target)
                os.chown(target, info.st_uid, info.st_gid)
                os.chmod(target, stat.S_IMODE(info.st_mode))
    for target, info in directories.items():
        os.chown(target, info.st_uid, info.st_gid)
        os.chmod(target, stat.S_IMODE(info.st_mode))


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as stream:
        stream.write(text)
    os.chmod(path, mode)


def settle_root(root):
    """What the packages' scripts would have done, and a boot that does little."""
    for path in ('dev', 'proc', 'sys', 'run', 'tmp', 'root', 'home', 'mnt', 'var/lib/podctl', 'var/log', 'var/tmp',
                 'etc/containers/systemd', 'etc/podctl/systemd'):
        os.makedirs(f'{root}/{path}', exist_ok=True)
    for path in ('tmp', 'var/tmp'):
        os.chmod(f'{root}/{path}', 0o1777)
    if not os.path.lexists(f'{root}/var/run'):
        os.symlink('/run', f'{root}/var/run')
    for name in ('passwd', 'group'):
        shutil.copy(f'/etc/{name}', f'{root}/etc/{name}')
    write(f'{root}/etc/shadow', 'root:*:19000:0:99999:7:::\n', 0o640)
    write(f'{root}/etc/hostname', 'machine\n')
    write(f'{root}/etc/hosts', '127.0.0.1 localhost machine\n')
    write(f'{root}/etc/resolv.conf', 'nameserver 127.0.0.1\n')
    write(f'{root}/etc/machine-id', 'c0ffee00c0ffee00c0ffee00c0ffee00\n')
    write(f'{root}/etc/subuid', 'containers:100000:1000000\nroot:2000000:65536\n')
    write(f'{root}/etc/subgid', 'containers:100000:1000000\nroot:2000000:65536\n')
    write(f'{root}/etc/systemd/system.conf.d/test.conf', '[Manager]\nDefaultTimeoutStopSec=10s\n')
    units = f'{root}/etc/systemd/system'
    shutil.rmtree(units, ignore_errors=True)
    write(f'{units}/podctl-agent.service', AGENT_UNIT)
    os.makedirs(f'{units}/sysinit.target.wants')
    os.symlink('../podctl-agent.service', f'{units}/sysinit.target.wants/podctl-agent.service')
    os.symlink('/lib/systemd/system/multi-user.target', f'{units}/default.target')
    for name in [f'{name}.service' for name in MASKED] + list(MASKED_OTHER):
        os.symlink('/dev/null', f'{units}/{name}')
    run('ldconfig', '-r', root)


def find_kernel():
    """Directory of the unpacked kernel package, fetched when there is none."""
    os.makedirs(f'{CACHE}/kernel', exist_ok=True)
    have = sorted(name for name in os.listdir(f'{CACHE}/kernel') if name.startswith('linux-image-'))
    if have:
        return f'{CACHE}/kernel/{have[-1]}'
    with tempfile.TemporaryDirectory(dir=f'{CACHE}/kernel', prefix='.fetch-') as folder:
        os.chmod(folder, 0o755)
        name = fetch_kernel(folder)
        os.mkdir(f'{folder}/tree')
        run('dpkg', '-x', glob.glob(f'{folder}/*.deb')[0], f'{folder}/tree')
        os.rename(f'{folder}/tree', f'{CACHE}/kernel/{name}')
    return f'{CACHE}/kernel/{name}'


def fetch_kernel(folder):
    """Downloads the package that the meta package depends on; its name."""
    for _ in range(2):
        done = subprocess.run(['apt-cache', 'depends', '--no-recommends', '--no-suggests', KERNEL_PACKAGE],
                              capture_output=True, text=True, check=False, timeout=60)
        names = re.findall(r'Depends: (linux-image-\S+)', done.stdout)
        if names:
            done = subprocess.run(['apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', names[0]], cwd=folder,
                                  capture_output=True, text=True, check=False, timeout=180)
            if done.returncode == 0:
                return names[0]
        subprocess.run(['apt-get', '-q', 'update'], capture_output=True, check=False, timeout=180)
    raise GuestError(f'the kernel package cannot be fetched: {(done.stderr or KERNEL_PACKAGE).strip()[-200:]}')


def copy_modules(kernel, root):
    """The modules that a guest may ask for; the release of the kernel."""
    source = glob.glob(f'{kernel}/lib/modules/*') + glob.glob(f'{kernel}/usr/lib/modules/*')
    if not source:
        raise GuestError('the kernel package holds no modules')
    release = os.path.basename(source[0])
    target = f'{root}/usr/lib/modules/{release}'
    for folder, _, names in os.walk(f'{source[0]}/kernel'):
        inside = os.path.relpath(folder, f'{source[0]}/kernel')
        for name in names:
            if f'{inside}/{name}'.startswith(MODULES):
                os.makedirs(f'{target}/kernel/{inside}', exist_ok=True)
                shutil.copy(f'{folder}/{name}', f'{target}/kernel/{inside}/{name}')
    for name in ('modules.order', 'modules.builtin', 'modules.builtin.modinfo'):
        shutil.copy(f'{source[0]}/{name}', f'{target}/{name}')
    run('depmod', '-b', f'{root}/usr' if os.path.islink(f'{root}/lib') else root, release)
    return release


class Cpio:
    """An archive in the kernel's format ("newc")."""

    def __init__(self, stream):
        self.stream = stream
        self.number = 0

    def _entry(self, name, mode, data=b'', device=(0, 0)):
        self.number += 1
        encoded = name.encode() + b'\0'
        fields = (self.number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        head = b'070701' + b''.join(b'%08X' % field for field in fields) + encoded
        self.stream.write(head + b'\0' * (-len(head) % 4) + data + b'\0' * (-len(data) % 4))

    def directory(self, name, mode=0o755):
        self._entry(name, stat.S_IFDIR | mode)

    def file(self, name, data, mode=0o644):
        self._entry(name, stat.S_IFREG | mode, data)

    def node(self, name, major, minor):
        self._entry(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def tree(self, source, name):
        """A directory with all that is in it, root's."""
        self.directory(name, stat.S_IMODE(os.stat(source).st_mode))
        for entry in sorted(os.scandir(source), key=lambda item: item.name):
            inside = f'{name}/{entry.name}'
            if entry.is_symlink():
                self._entry(inside, stat.S_IFLNK | 0o777, os.readlink(entry.path).encode())
            elif entry.is_dir():
                self.tree(entry.path, inside)
            elif entry.is_file():
                with open(entry.path, 'rb') as stream:
                    self.file(inside, stream.read(), stat.S_IMODE(entry.stat().st_mode))

    def close(self):
        self._entry('TRAILER!!!', 0)
        # Archives that follow start on such a boundary.
        self.stream.write(b'\0' * (-self.stream.tell() % 512))


def early_modules(root, release):
    """Paths of the modules that the first steps need, in the order in which they load."""
    base = f'{root}/usr/lib/modules/{release}'
    needs = {}
    with open(f'{base}/modules.dep', encoding='ascii') as stream:
        for line in stream:
            path, _, rest = line.partition(':')
            needs[re.sub(r'\.ko.*', '', os.path.basename(path)).replace('-', '_')] = (path, rest.split())
    order = []
    for name in EARLY_MODULES:
        # Absent: built into the kernel.
        path, before = needs.get(name, (None, []))
        for item in [*reversed(before), path]:
            if item and item not in order:
                order.append(item)
    return [f'{base}/{path}' for path in order]


def make_initrd(root, release, path):
    with open(path, 'wb') as stream:
        archive = Cpio(stream)
        for name in ('bin', 'dev', 'proc', 'root', 'modules'):
            archive.directory(name)
        archive.node('dev/console', 5, 1)
        with open(shutil.which('busybox'), 'rb') as program:
            archive.file('bin/busybox', program.read(), 0o755)
        archive.file('init', INIT.encode(), 0o755)
        names = []
        for module in early_modules(root, release):
            name = os.path.basename(module)
            with open(module, 'rb') as content:
                data = content.read()
            if name.endswith('.xz'):
                data, name = subprocess.run(['xz', '-dc'], input=data, capture_output=True, check=True).stdout, name[:-3]
            names.append(name)
            archive.file(f'modules/{name}', data)
        archive.file('modules/order', '\n'.join(names).encode())
        archive.close()


def make_stage(path, entries):
    """An archive that the initrd lays over the root: {path below /: directory or file on this machine}."""
    with open(path, 'wb') as stream:
        archive = Cpio(stream)
        made = set()

        def parents(name):
            folder = os.path.dirname(name)
            if folder and folder not in made:
                parents(folder)
                made.add(folder)
                archive.directory(folder)

        parents('stage/x')
        for inside, source in entries.items():
            parents(f'stage{inside}')
            if os.path.isdir(source):
                archive.tree(source, f'stage{inside}'.rstrip('/'))
                continue
            with open(source, 'rb') as content:
                archive.file(f'stage{inside}', content.read(), 0o755)
        archive.close()


@contextlib.contextmanager
def locked():
    os.makedirs(CACHE, exist_ok=True)
    with open(f'{CACHE}/lock', 'w', encoding='ascii') as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def build(folder, kernel, names):
    with tempfile.TemporaryDirectory(prefix='podctl-root-', dir='/var/tmp') as root:
        os.chmod(root, 0o755)
        copy_packages(names, root)
        settle_root(root)
        release = copy_modules(kernel, root)
        make_initrd(root, release, f'{folder}/initrd')
        shutil.copy(glob.glob(f'{kernel}/boot/vmlinuz-*')[0], f'{folder}/vmlinuz')
        run('mke2fs', '-q', '-F', '-t', 'ext4', '-m', '0', '-O', '^metadata_csum', '-E', 'lazy_itable_init=1,nodiscard',
            '-d', root, f'{folder}/root.img', DISK_SIZE)


def prepare(stage, target):
    """Puts vmlinuz, initrd and a root disk that fit the staged programs into target. Raises GuestError."""
    for tool in ('qemu-system-x86_64', 'mke2fs', 'depmod', 'dpkg-query', 'busybox', 'ldconfig'):
        if not shutil.which(tool, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin'):
            raise GuestError(f'{tool} is not installed')
    versions = closure({*PACKAGES, *library_packages(stage)})
    with locked(), open(__file__, 'rb') as own:
        kernel = find_kernel()
        text = repr((os.path.basename(kernel), sorted(versions.items()))).encode()
        folder = f'{CACHE}/guest-{hashlib.sha256(own.read() + text).hexdigest()[:16]}'
        if not os.path.exists(folder):
            for old in glob.glob(f'{CACHE}/guest-*') + glob.glob(f'{CACHE}/.new-*'):
                shutil.rmtree(old, ignore_errors=True)
            new = tempfile.mkdtemp(prefix='.new-', dir=CACHE)
            build(new, kernel, versions)
            os.rename(new, folder)
        # Copies: another run may throw this guest away for one of its own.
        for name in ('vmlinuz', 'initrd', 'root.img'):
            run('cp', '--sparse=always', f'{folder}/{name}', f'{target}/{name}')
