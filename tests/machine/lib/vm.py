# SPDX-License-Identifier: LGPL-2.1-or-later
"""One virtual machine: boots, runs commands, loses power, boots again on the same disk.

Everything is bounded: a boot, a command, a stop. What does not answer is killed by its process id, and
qemu dies with this process whatever way it goes. Emulated (TCG), so that it works on any machine.
"""
import base64
import ctypes
import fcntl
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from lib import guest

PORT_NAME = 'podctl.agent'
PREFIX = 'podctl-machine-'
BOOT_SECONDS = 120
STOP_SECONDS = 60
SECONDS = 60
CHUNK = 512 * 1024
KERNEL_LINE = ('console=ttyS0 root=/dev/vda rw quiet loglevel=4 net.ifnames=0 mitigations=off nokaslr panic=-1 '
               'systemd.show_status=0 systemd.log_level=warning')
PR_SET_PDEATHSIG = 1


class VmError(Exception):
    pass


class Result:
    """How a command ended inside."""

    def __init__(self, words, code, out, err):
        self.words, self.code, self.stdout, self.stderr = words, code, out, err

    def __repr__(self):
        return f'{" ".join(self.words)}\n  status {self.code}\n  stdout {self.stdout[-3000:]!r}\n  stderr {self.stderr[-3000:]!r}'

    @property
    def out(self):
        return self.stdout.strip()


class Job:
    """A command that runs inside while the test goes on."""

    def __init__(self, vm, words, future, seconds):
        self.vm, self.words, self.future, self.seconds = vm, words, future, seconds

    def result(self):
        try:
            # The agent ends the command; this is for an agent that does not answer.
            answer = self.future.result(self.seconds + 20)
        except FutureTimeout:
            self.vm.kill()
            raise VmError(f'the guest does not answer: {" ".join(self.words)}\n{self.vm.console()}') from None
        if 'error' in answer:
            raise VmError(f'{" ".join(self.words)}: {answer["error"]}')
        out, err = (base64.b64decode(answer[name]).decode(errors='replace') for name in ('out', 'err'))
        if answer['status'] is None:
            raise VmError(f'{" ".join(self.words)}: took longer than {self.seconds} s\n{out[-2000:]}{err[-2000:]}')
        return Result(self.words, answer['status'], out, err)


def sweep():
    """Removes what killed runs have left: disks that nobody holds. A new one is left alone for a minute."""
    for path in glob.glob(f'/var/tmp/{PREFIX}*'):
        try:
            claim = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - os.fstat(claim).st_mtime > 60:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass
        finally:
            os.close(claim)


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Vm:
    """stage: files laid over the root on the first boot, {path inside: path here}."""

    def __init__(self, stage_directory, entries, memory_mib=1024, cpus=2):
        self.stage_directory, self.entries = stage_directory, entries
        self.memory_mib, self.cpus = memory_mib, cpus
        self.directory = None
        self._claim = -1
        self.process = None
        self.socket = None
        self.disks = ['root.img']
        self.fresh = True
        self.boot_id = None
        self.boots = 0
        self._pending = {}
        self._next = 0
        self._lock = threading.Lock()

    def prepare(self):
        """Makes the disks; guest.GuestError when that is not possible here."""
        sweep()
        self.directory = tempfile.mkdtemp(prefix=PREFIX, dir='/var/tmp')
        self._claim = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._claim, fcntl.LOCK_EX)
        guest.prepare(self.stage_directory, self.directory)
        guest.make_stage(f'{self.directory}/stage', self.entries)
        with open(f'{self.directory}/initrd.first', 'wb') as stream:
            for name in ('initrd', 'stage'):
                with open(f'{self.directory}/{name}', 'rb') as part:
                    shutil.copyfileobj(part, stream)

    def add_disk(self, size_mib):
        """One more empty disk, from the next boot on: /dev/vdb and so on."""
        name = f'disk{len(self.disks)}.img'
        with open(f'{self.directory}/{name}', 'wb') as stream:
            stream.truncate(size_mib * 1024 * 1024)
        self.disks.append(name)

    def _words(self, more):
        words = ['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
                 '-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max,la57=off', '-m', str(self.memory_mib),
                 '-smp', str(self.cpus), '-nic', 'none', '-device', 'virtio-rng-pci',
                 '-kernel', 'vmlinuz', '-initrd', 'initrd.first' if self.fresh else 'initrd',
                 '-append', f'{KERNEL_LINE} {more}'.strip(), '-serial', 'file:console',
                 '-device', 'virtio-serial-pci', '-chardev', 'socket,id=agent,path=agent,server=on,wait=off',
                 '-device', f'virtserialport,chardev=agent,name={PORT_NAME}']
        for number, name in enumerate(self.disks):
            words += ['-drive', f'file={name},format=raw,if=none,id=disk{number},cache=writeback',
                      '-device', f'virtio-blk-pci,drive=disk{number}']
        return words

    def boot(self, kernel_words=''):
        """Starts it and waits until commands can be run and systemd has reached its target."""
        assert self.process is None
        end = time.monotonic() + BOOT_SECONDS
        if os.path.exists(f'{self.directory}/agent'):
            os.unlink(f'{self.directory}/agent')
        with open(f'{self.directory}/qemu.log', 'wb') as log:
            self.process = subprocess.Popen(self._words(kernel_words), cwd=self.directory, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, preexec_fn=die_with_parent)
        try:
            self._connect(end)
            self._hello.result(max(1, end - time.monotonic()))
        except (FutureTimeout, OSError, VmError) as error:
            text = self.console()
            self.kill()
            raise VmError(f'no boot: {error}\n{text}') from None
        self.fresh = False
        self.boots += 1
        # "degraded" is a boot too: units of tests may fail.
        self.run('systemctl', 'is-system-running', '--wait', check=False, seconds=BOOT_SECONDS)
        return self

    def _connect(self, end):
        self._pending = {}
        self._hello = Future()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # A path of a temporary directory may be longer than an address.
        directory = os.open(self.directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            while True:
                try:
                    self.socket.connect(f'/proc/self/fd/{directory}/agent')
                    break
                except OSError:
                    if self.process.poll() is not None or time.monotonic() > end:
                        raise VmError('qemu ended') from None
                    time.sleep(0.02)
        finally:
            os.close(directory)
        threading.Thread(target=self._receive, args=(self.socket, self._pending, self._hello), daemon=True).start()

    def _receive(self, stream, pending, hello):
        """Hands each answer to who waits for it; when the machine is gone, all of them are told."""
        rest = b''
        try:
            while data := stream.recv(1 << 20):
                *lines, rest = (rest + data).split(b'\n')
                for line in lines:
                    message = json.loads(line)
                    if 'hello' in message:
                        if not hello.done():
                            self.boot_id = message['hello']
                            hello.set_result(None)
                        continue
                    future = pending.pop(message['id'], None)
                    if future:
                        future.set_result(message)
        except OSError:
            pass
        for future in [hello, *pending.values()]:
            if not future.done():
                future.set_exception(VmError('the machine is off'))

    def _ask(self, **request):
        if not self.process:
            raise VmError('the machine is off')
        future = Future()
        with self._lock:
            self._next += 1
            self._pending[self._next] = future
            data = json.dumps({'id': self._next, **request}).encode() + b'\n'
            try:
                self.socket.sendall(data)
            except OSError as error:
                raise VmError(f'the machine is off: {error}') from None
        return future

    def start(self, *words, seconds=SECONDS, text='', env=None, cwd=None):
        """Starts a command inside: a Job."""
        words = [str(word) for word in words]
        data = base64.b64encode(text.encode()).decode()
        return Job(self, words, self._ask(do='run', words=words, input=data, env=env, cwd=cwd, seconds=seconds), seconds)

    def run(self, *words, check=True, **more):
        """Runs a command inside to its end: a Result. check: fail unless it ends with 0."""
        result = self.start(*words, **more).result()
        assert not check or result.code == 0, repr(result)
        return result

    def sh(self, script, *words, **more):
        """A script of the shell; words are its $1 and so on."""
        return self.run('sh', '-c', script, 'sh', *words, **more)

    def _answer(self, future, what):
        try:
            answer = future.result(SECONDS)
        except FutureTimeout:
            self.kill()
            raise VmError(f'the guest does not answer: {what}\n{self.console()}') from None
        if 'error' in answer:
            raise VmError(f'{what}: {answer["error"]}')
        return answer

    def write(self, path, data, mode=0):
        """A file inside, with its directory."""
        data = data.encode() if isinstance(data, str) else data
        for start in range(0, max(1, len(data)), CHUNK):
            piece = base64.b64encode(data[start:start + CHUNK]).decode()
            self._answer(self._ask(do='write', path=path, data=piece, append=start > 0, mode=mode), f'write {path}')

    def read_bytes(self, path):
        data = b''
        while True:
            answer = self._answer(self._ask(do='read', path=path, offset=len(data)), f'read {path}')
            piece = base64.b64decode(answer['data'])
            data += piece
            if len(piece) < CHUNK:
                return data

    def read(self, path):
        return self.read_bytes(path).decode(errors='replace')

    def console(self):
        """The end of what the kernel and qemu have said."""
        texts = []
        for name in ('qemu.log', 'console'):
            try:
                with open(f'{self.directory}/{name}', 'rb') as stream:
                    texts.append(stream.read().decode(errors='replace')[-4000:])
            except OSError:
                pass
        return '\n'.join(texts)

    def kill(self):
        """Power is cut: nothing inside is told."""
        if self.process:
            self.process.kill()
            self.process.wait(30)
            self.process = None
        if self.socket:
            self.socket.close()
            self.socket = None

    def off(self):
        """An orderly end; what does not end is killed, and False."""
        if not self.process:
            return True
        try:
            self._ask(do='run', words=['systemctl', '--no-block', 'poweroff'], seconds=20)
            self.process.wait(STOP_SECONDS)
            ended = True
        except (subprocess.TimeoutExpired, VmError):
            ended = False
        self.kill()
        return ended

    def reboot(self, kernel_words=''):
        """Down in order and up again on the same disks."""
        ended = self.off()
        text = '' if ended else self.console()
        self.boot(kernel_words)
        assert ended, f'it did not power off within {STOP_SECONDS} s\n{text}'

    def power_cut(self, kernel_words=''):
        self.kill()
        self.boot(kernel_words)

    def close(self):
        self.kill()
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory = None
        if self._claim >= 0:
            os.close(self._claim)
            self._claim = -1
