# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line under test. PODCTL names the program: the suite can be pointed at podman too."""
import json
import os
import re
import subprocess
import time

import pytest

PROGRAM = os.environ.get('PODCTL', 'podctl')
IS_PODMAN = os.path.basename(PROGRAM) == 'podman'
IMAGE = 'localhost/test:latest'
SECONDS = 60


class Result:
    def __init__(self, words, code, stdout, stderr):
        self.words, self.code, self.stdout, self.stderr = words, code, stdout, stderr

    def __repr__(self):
        return f'{" ".join(self.words)}\n  status {self.code}\n  stdout {self.stdout!r}\n  stderr {self.stderr!r}'

    @property
    def out(self):
        return self.stdout.strip()


class CommandFailed(AssertionError):
    pass


# Options that tests ask for and podctl is to get; any other refusal is a failure.
NOT_YET = ('--init',)


class Podctl:
    """Runs the program; remembers nothing but global options."""

    def __init__(self, options=()):
        self.options = list(options)

    def words(self, *arguments):
        return [PROGRAM, *self.options, *map(str, arguments)]

    def __call__(self, *arguments, check=True, timeout=SECONDS, **more):
        """Runs to the end. check: fail unless it ends with 0. Text in, text out."""
        words = self.words(*arguments)
        text = more.pop('input', None)
        more.setdefault('stdin', subprocess.DEVNULL if text is None else subprocess.PIPE)
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace',
                                   **more)
        try:
            stdout, stderr = process.communicate(text, timeout)
        except BaseException:
            # Not `with`: a child that holds the pipe open must not hold the test up as well.
            process.kill()
            process.stdout.close()
            process.stderr.close()
            process.wait(10)
            raise
        result = Result(words, process.returncode, stdout, stderr)
        refused = re.search(r'option "([^"]*)" is not supported', stderr)
        if refused and not IS_PODMAN and refused.group(1) in NOT_YET:
            pytest.skip(f'not there yet, and refused by name: {refused.group(1)}')
        if check and result.code != 0:
            raise CommandFailed(repr(result))
        return result

    def fails(self, code, *arguments, **more):
        """Runs a command that must end with code and one line about it; returns the line."""
        result = self(*arguments, check=False, **more)
        assert result.code == code, repr(result)
        lines = result.stderr.strip().split('\n')
        if not IS_PODMAN:
            assert len(lines) == 1 and lines[0], f'one line is wanted: {result!r}'
        return result.stderr.strip()

    def start(self, *arguments, **more):
        """Starts without waiting: a Popen."""
        return subprocess.Popen(self.words(*arguments), **more)

    def json(self, *arguments, **more):
        return json.loads(self(*arguments, **more).stdout)

    def inspect(self, name):
        return self.json('inspect', name)[0]

    def pod_inspect(self, name):
        data = self.json('pod', 'inspect', name)
        return data[0] if isinstance(data, list) else data

    def facts(self, *options, image=IMAGE):
        """What the probe sees in a container run with these options."""
        return self.json('run', '--rm', *options, image, '/probe')

    def exec_facts(self, name, *options):
        return self.json('exec', *options, name, '/probe')

    def pod_add(self, pod, image, *command, options=()):
        """A member, started. `pod add` is ours; podman says run -d --pod. Returns the id."""
        if IS_PODMAN:
            return self('run', '-d', '--pod', pod, *options, image, *command).out
        return self('pod', 'add', *options, pod, image, *command).out

    def state(self, name):
        return self.inspect(name)['State']

    def pid(self, name):
        return self.state(name)['Pid']

    def ready(self, *names):
        """Waits until the probe in each of them takes signals: the kernel drops those that come before."""
        for name in names:
            wait_for(lambda name=name: takes_signals(self.pid(name)))

    def infra_pid(self, pod):
        """The process that holds the pod's namespaces."""
        data = self.pod_inspect(pod)
        return data['InfraPid'] if 'InfraPid' in data else self.pid(data['InfraContainerID'])

    def running(self, name):
        return self.state(name)['Running']

    def remove_all(self):
        """Everything the tests made, pods first."""
        self('pod', 'rm', '-f', '-a', '-t', '0', check=False)
        self('rm', '-f', '-a', '-t', '0', check=False)
        self('volume', 'rm', '-f', '-a', check=False)


def wait_for(what, seconds=10, every=0.02):
    """Calls what() until it is true; its last value. Fails in the end."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < end, f'not within {seconds} s: {getattr(what, "__name__", what)}'
        time.sleep(every)


def takes_signals(pid):
    """SIGTERM is caught or ignored."""
    with open(f'/proc/{pid}/status', encoding='ascii') as stream:
        masks = [int(line.split()[1], 16) for line in stream if line.startswith(('SigCgt', 'SigIgn'))]
    return any(mask >> 14 & 1 for mask in masks)


def namespace(pid, kind):
    return os.readlink(f'/proc/{pid}/ns/{kind}')
