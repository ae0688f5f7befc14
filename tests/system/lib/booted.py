#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real systemd as PID 1 on a root below a throw-away overlay, by systemd-nspawn.

The machine's own root (or any other) is the lower layer, everything written is in memory, and all
mounts are made in a mount namespace of their own: when the processes are gone, so is the rest, on
whatever way they went. As a program: booted.py [--root DIR] [--bind FROM[:TO]]... COMMAND... boots,
runs the command there as a service, powers off and ends with the command's status.
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

CGROUP2 = '/sys/fs/cgroup/unified'
BOOT_SECONDS = 30
STOP_SECONDS = 20

# Arguments: directory, lower root, cgroup, machine id, files to lay over, then nspawn's own.
SETUP = r'''
set -e
[ -z "$3" ] || echo $$ > "$3/cgroup.procs"
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root" "$1/upper/etc"
[ -z "$5" ] || cp -a "$5/." "$1/upper/"
printf '%s\n' "$4" > "$1/upper/etc/machine-id"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
directory=$1
shift 5
exec systemd-nspawn -D "$directory/root" "$@"
'''


class BootError(Exception):
    pass


def cgroup2_mount():
    """Where the machine's cgroup2 is writable: its own mount beside v1, or the only one."""
    for path in (CGROUP2, '/sys/fs/cgroup'):
        if os.path.exists(f'{path}/cgroup.procs'):
            return path
    return None


def unit_arguments(unit):
    """What the kernel command line would say: which unit to boot, and which more to want."""
    return [f'systemd.unit={unit}', 'systemd.wants=dbus.service', 'systemd.firstboot=no']


class Booted:
    """One boot. Use as a context manager, or start() and stop()."""

    def __init__(self, root='/', binds=(), unit='basic.target', tmpfs=('/var/lib/podctl',), host_network=False,
                 stage=''):
        self.root = root
        self.stage = stage
        self.binds = list(binds)
        self.unit = unit
        self.tmpfs = list(tmpfs)
        self.host_network = host_network
        self.process = None
        self.leader = None
        self.directory = None
        self.cgroup = None
        self.log = None

    def __enter__(self):
        # A SIGTERM powers off as an exception does.
        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, lambda *unused: sys.exit(143))
        self.start()
        return self

    def __exit__(self, *unused):
        self.stop()

    def _arguments(self):
        words = ['--register=no', '--keep-unit', '--capability=all',
                 '--system-call-filter=@mount @keyring bpf', '--console=pipe', '--quiet']
        if not self.host_network:
            words.append('--private-network')
        words += [f'--tmpfs={path}' for path in self.tmpfs]
        words += [f'--bind={bind}' for bind in self.binds]
        return words + ['-b', *unit_arguments(self.unit)]

    def start(self):
        self.directory = tempfile.mkdtemp(prefix='podctl-boot-')
        self.log = tempfile.TemporaryFile()
        base = cgroup2_mount()
        if base:
            # nspawn names its groups "payload" and "supervisor": a group of its own keeps two boots apart.
            self.cgroup = f'{base}/podctl-boot-{os.getpid()}-{uuid.uuid4().hex[:8]}'
            os.mkdir(self.cgroup)
        command = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', SETUP, 'sh', self.directory,
                   self.root, self.cgroup or '', uuid.uuid4().hex, self.stage, *self._arguments()]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        start_new_session=True,
                                        env={**os.environ, 'SYSTEMD_NSPAWN_UNIFIED_HIERARCHY': '1'})
        try:
            self._wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def _find_leader(self):
        path = f'/proc/{self.process.pid}/task/{self.process.pid}/children'
        try:
            with open(path, encoding='ascii') as stream:
                children = stream.read().split()
            for child in children:
                with open(f'/proc/{child}/status', encoding='ascii') as stream:
                    for line in stream:
                        if line.startswith('NSpid:') and line.split()[-1] == '1' and len(line.split()) > 2:
                            return int(child)
        except OSError:
            pass
        return None

    def _wait_ready(self):
        end = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise BootError('systemd-nspawn ended: ' + self.console())
            self.leader = self.leader or self._find_leader()
            if self.leader and self.enter('systemctl', 'is-active', self.unit).returncode == 0 \
                    and self.enter('test', '-S', '/run/dbus/system_bus_socket').returncode == 0:
                return
            time.sleep(0.05)
        raise BootError(f'{self.unit} was not reached in {BOOT_SECONDS} s: ' + self.console())

    def console(self):
        self.log.seek(0)
        return self.log.read().decode(errors='replace')[-4000:]

    def enter(self, *words, timeout=60, **more):
        """A short command in the namespaces of the boot, outside its cgroups: to look, or systemctl."""
        more.setdefault('stdout', subprocess.PIPE)
        more.setdefault('stderr', subprocess.PIPE)
        more.setdefault('stdin', subprocess.DEVNULL)
        return subprocess.run(['nsenter', '-t', str(self.leader), '-a', *words], text=True, timeout=timeout,
                              check=False, **more)

    def run(self, *words, timeout=120, env=(), properties=(), **more):
        """A command as a service of the booted systemd: its own cgroup, a clean environment."""
        settings = [f'--setenv={item}' for item in env] + [f'--property={item}' for item in properties]
        return self.enter('systemd-run', '--quiet', '--wait', '--pipe', '--collect', *settings, '--', *words,
                          timeout=timeout, **more)

    def write(self, path, text):
        """A file inside; its directory is made."""
        done = subprocess.run(['nsenter', '-t', str(self.leader), '-a', 'sh', '-c',
                               'mkdir -p "$(dirname "$1")" && cat > "$1"', 'sh', path],
                              input=text, text=True, capture_output=True, timeout=30, check=False)
        if done.returncode:
            raise BootError(f'cannot write {path}: {done.stderr}')

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.process = None
        if self.cgroup:
            self._remove_cgroup()
            self.cgroup = None
        if self.directory:
            os.rmdir(self.directory)
            self.directory = None
        if self.log:
            self.log.close()
            self.log = None

    def _remove_cgroup(self):
        kill = f'{self.cgroup}/cgroup.kill'
        if os.path.exists(kill):
            with open(kill, 'w', encoding='ascii') as stream:
                stream.write('1')
        # nspawn makes the same one for systemd where the hierarchies of version 1 are mounted
        places = [self.cgroup, f'/sys/fs/cgroup/systemd/{os.path.basename(self.cgroup)}']
        for _ in range(100):
            for place in places:
                for folder, _, _ in os.walk(place, topdown=False):
                    try:
                        os.rmdir(folder)
                    except OSError:
                        pass
            if not any(os.path.exists(place) for place in places):
                return
            time.sleep(0.02)


def missing():
    """What this machine lacks for a boot, or None."""
    if os.geteuid() != 0:
        return 'not root'
    for tool in ('systemd-nspawn', 'nsenter', 'unshare', 'systemctl', 'dbus-daemon'):
        if not shutil.which(tool, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin'):
            return f'{tool} is not installed'
    return None


def main():
    parser = argparse.ArgumentParser(description='Run a command in a throw-away booted system.')
    parser.add_argument('--root', default='/', help='lower root file system')
    parser.add_argument('--stage', default='', help='a directory whose files are laid over the root')
    parser.add_argument('--bind', action='append', default=[], help='FROM[:TO], writable')
    parser.add_argument('--timeout', type=int, default=600)
    parser.add_argument('command', nargs=argparse.REMAINDER)
    options = parser.parse_args()
    lack = missing()
    if lack:
        print(f'cannot boot: {lack}', file=sys.stderr)
        return 125
    with Booted(root=options.root, binds=options.bind, stage=options.stage) as machine:
        return machine.run(*options.command, timeout=options.timeout, stdout=None, stderr=None).returncode


if __name__ == '__main__':
    sys.exit(main())
