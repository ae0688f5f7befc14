# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody at a terminal: a program with a pty as its standard input, output and controlling terminal."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

SECONDS = 15


class Terminal:
    """Runs words behind a pty. text is all that came out so far."""

    def __init__(self, words, rows=24, columns=80, **more):
        self.master, slave = pty.openpty()
        self.resize(rows, columns, tell=False)
        self.process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **more)
        status = os.fstat(slave)
        self.device = status.st_dev, status.st_rdev
        os.close(slave)
        self.text = ''
        self.seen = 0

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        if self.master >= 0:
            os.close(self.master)

    def resize(self, rows, columns, tell=True):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
        if tell:
            self.process.send_signal(signal.SIGWINCH)

    def is_raw(self):
        return not termios.tcgetattr(self.master)[3] & termios.ICANON

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds=0.0):
        """Takes what is there; False at the end."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return True
        try:
            chunk = os.read(self.master, 65536)
        except OSError:
            return False
        self.text += chunk.decode(errors='replace')
        return bool(chunk)

    def expect(self, what, seconds=SECONDS):
        """Waits for a text behind what was expected before."""
        end = time.monotonic() + seconds
        while what not in self.text[self.seen:]:
            assert time.monotonic() < end, f'{what!r} did not come: {self.text[self.seen:]!r}'
            if not self.read(0.05):
                assert what in self.text[self.seen:], f'ended without {what!r}: {self.text[self.seen:]!r}'
        self.seen = self.text.index(what, self.seen) + len(what)

    def wait(self, seconds=SECONDS):
        """The exit status; everything that came out is in text."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            self.read(0.02)
            assert time.monotonic() < end, f'does not end: {self.text[-500:]!r}'
        while self.read(0.0) and select.select([self.master], [], [], 0)[0]:
            pass
        return self.process.returncode

    def hang_up(self):
        """Somebody closes the terminal's window."""
        os.close(self.master)
        self.master = -1
