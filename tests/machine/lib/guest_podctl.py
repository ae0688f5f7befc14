# SPDX-License-Identifier: LGPL-2.1-or-later
"""podctl inside the virtual machine, in the words of the tests."""
import json
import time

IMAGE = 'localhost/test:latest'
CGROUPS = '/sys/fs/cgroup'


class GuestPodctl:
    def __init__(self, vm):
        self.vm = vm

    def __call__(self, *words, **more):
        """Runs to the end. check: fail unless it ends with 0."""
        return self.vm.run('podctl', *words, **more)

    def start(self, *words, **more):
        return self.vm.start('podctl', *words, **more)

    def fails(self, code, *words, **more):
        """A command that must end with code and one line about it; the line."""
        result = self(*words, check=False, **more)
        assert result.code == code, repr(result)
        lines = result.stderr.strip().split('\n')
        assert len(lines) == 1 and lines[0], f'one line is wanted: {result!r}'
        return lines[0]

    def json(self, *words, **more):
        return json.loads(self(*words, **more).stdout)

    def inspect(self, name):
        return self.json('inspect', name)[0]

    def pod_inspect(self, name):
        data = self.json('pod', 'inspect', name)
        return data[0] if isinstance(data, list) else data

    def state(self, name):
        return self.inspect(name)['State']

    def status(self, name):
        return self.state(name)['Status']

    def facts(self, *options):
        """What the probe sees in a container run with these options."""
        return self.json('run', '--rm', '--network=none', *options, IMAGE, '/probe')

    def sleeper(self, name, *options):
        """A running container that takes signals; its process id."""
        self('run', '-d', '--name', name, '--network=none', *options, IMAGE, '/probe', 'sleep')
        return self.state(name)['Pid']

    def cgroup(self, name):
        """The directory of the cgroup of a container's first process, as the machine sees it."""
        pid = self.state(name)['Pid']
        return CGROUPS + self.vm.read(f'/proc/{pid}/cgroup').strip().split('::')[1]

    def knob(self, name, file):
        """A file of a container's cgroup."""
        return self.vm.read(f'{self.cgroup(name)}/{file}').strip()

    def pod_cgroup(self, member):
        """The cgroup that holds all of the member's pod: one above the member's own."""
        return self.cgroup(member).rsplit('/', 1)[0]

    def remove_all(self):
        self('pod', 'rm', '-f', '-a', '-t', '0', check=False)
        self('rm', '-f', '-a', '-t', '0', check=False)


def wait_for(what, seconds=30, every=0.1):
    """Calls what() until it is true; its last value. Fails in the end."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < end, f'not within {seconds} s: {getattr(what, "__name__", what)}'
        time.sleep(every)


def counters(text):
    """{name: number} of a file such as memory.events."""
    return {name: int(value) for name, value in (line.split() for line in text.strip().split('\n'))}
