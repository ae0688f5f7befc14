# SPDX-License-Identifier: LGPL-2.1-or-later
"""Root of a container that makes life hard for whoever comes in: nothing hangs, all of it can go."""
import time

from lib.command import wait_for

FREEZE = 'echo 1 > /sys/fs/cgroup/cgroup.freeze; sleep 1000'


def test_a_container_that_freezes_itself(podctl, image):
    """Who would come in is told; all else works, and it can be thawed and removed."""
    podctl('run', '-d', '--name', 'c', '--privileged', '--network=none', image, 'sh', '-c', FREEZE)
    wait_for(lambda: 'frozen 1' in events(podctl))
    begin = time.monotonic()
    line = podctl.fails(125, 'exec', 'c', 'true', timeout=20)
    assert 'frozen' in line and time.monotonic() - begin < 10
    podctl('top', 'c', timeout=10)
    podctl('pause', 'c', timeout=10)
    podctl('unpause', 'c', timeout=10)
    podctl('exec', 'c', 'true', timeout=20)
    podctl('exec', '-d', 'c', 'sh', '-c', FREEZE)
    wait_for(lambda: 'frozen 1' in events(podctl))
    podctl('rm', '-f', '-t', '0', 'c', timeout=20)


def events(podctl):
    pid = podctl.pid('c')
    with open(f'/proc/{pid}/cgroup', encoding='ascii') as stream:
        path = [line.strip().split('::')[1] for line in stream if '::' in line][0]
    for base in ('/sys/fs/cgroup/unified', '/sys/fs/cgroup'):
        try:
            with open(f'{base}{path}/cgroup.events', encoding='ascii') as stream:
                return stream.read()
        except OSError:
            pass
    return ''
