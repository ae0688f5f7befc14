# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGKILL at random moments, loops, many at once: no leak, the next command works, rm -f ends in absence."""
import os
import random
import signal
import subprocess
import time

import pytest

from lib import leaks
from lib.command import IS_PODMAN, wait_for

FULL = bool(os.environ.get('PODCTL_TEST_FULL'))
LOOPS = 200 if FULL else 20
KILLS = 100 if FULL else 20
SEED = int(os.environ.get('PODCTL_TEST_SEED', '0')) or random.SystemRandom().randrange(1, 1 << 31)


def life(name):
    """The words of one life of a pod, in order."""
    image = 'localhost/test:latest'
    return [
        ('pod', 'create', '--name', name, '-p', '18099:80'),
        ('run', '-d', '--pod', name, '--name', f'{name}-a', image, '/probe', 'sleep'),
        ('run', '-d', '--pod', name, '--name', f'{name}-b', image, '/probe', 'sleep'),
        ('exec', f'{name}-a', 'true'),
        ('pod', 'stop', '-t', '1', name),
        ('pod', 'start', name),
        ('pod', 'rm', '-f', '-t', '0', name),
    ]


@pytest.mark.limit(1200 if FULL else 120)
def test_loop_of_lives(podctl, image):
    """Whatever is counted after the last round was there after the first."""
    for words in life('l'):
        podctl(*words)
    before = leaks.settled()
    for _ in range(LOOPS):
        for words in life('l'):
            podctl(*words)
    wait_for(lambda: IS_PODMAN or not leaks.difference(before, leaks.snapshot()), 5)



def durations(podctl):
    """How long each step takes, to spread the kills over all of it."""
    found = []
    for words in life('k'):
        begin = time.monotonic()
        podctl(*words)
        found.append(time.monotonic() - begin)
    return found


def kill_at(podctl, words, seconds):
    """Starts a command and kills it, alone, after so long."""
    process = podctl.start(*words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait(10)


def wait_clean(before, where, later, seconds=5):
    """Until nothing is left behind, besides in the subjects that are for later."""
    end = time.monotonic() + seconds
    while True:
        lines = [line for line in leaks.difference(before, leaks.snapshot()) if not line.startswith(later or '-')]
        if not lines or IS_PODMAN:
            return
        assert time.monotonic() < end, where + '\n' + '\n'.join(lines)
        time.sleep(0.02)


@pytest.mark.limit(1800 if FULL else 240)
def test_sigkill_of_the_command_line(podctl, image):
    """After a kill anywhere: reading works, rm -f works, nothing is left, the same life works again."""
    print(f'PODCTL_TEST_SEED={SEED}')
    dice = random.Random(SEED)
    spans = durations(podctl)
    before = leaks.settled()
    for number in range(KILLS):
        victim = dice.randrange(len(spans))
        for index, words in enumerate(life('k')):
            if index == victim:
                moment = dice.uniform(0, spans[index])
                kill_at(podctl, words, moment)
                break
            podctl(*words)
        where = f'round {number}, seed {SEED}: {" ".join(life("k")[victim])} after {moment * 1000:.1f} ms'
        assert podctl('ps', '-a', check=False, timeout=20).code == 0, where
        assert podctl('pod', 'ps', check=False, timeout=20).code == 0, where
        result = podctl('pod', 'rm', '-f', '-i', '-t', '0', 'k', check=False, timeout=30)
        assert result.code == 0, f'{where}: {result!r}'
        wait_clean(before, where, ('run files', 'state files'))
        # A container that was made and is in no pod's list yet would keep its name.
        for words in life('k'):
            result = podctl(*words, check=False)
            assert result.code == 0, f'after {where}: {result!r}'
        # What was half made has no name; the next creation takes its files away.
        wait_clean(before, where, ())


@pytest.mark.limit(240)
def test_sigkill_while_removing_many(podctl, image):
    for _ in range(3):
        for number in range(3):
            podctl('pod', 'create', '--name', f'm{number}')
            podctl('run', '-d', '--pod', f'm{number}', image, '/probe', 'sleep')
        kill_at(podctl, ('pod', 'rm', '-f', '-a', '-t', '0'), 0.02)
        podctl('pod', 'rm', '-f', '-a', '-t', '0')
        assert podctl('ps', '-aq').out == ''


def test_many_at_once(podctl, image):
    """Twelve starts at the same time: each is there afterwards, each has an address of its own."""
    processes = [podctl.start('run', '-d', '--name', f'p{number}', image, '/probe', 'sleep', stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for number in range(12)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 12, errors
    assert len(podctl('ps', '-q').out.split()) == 12
    found = set()
    for number in range(12):
        settings = podctl.inspect(f'p{number}')['NetworkSettings']
        found.add(settings['IPAddress'] or next(iter(settings['Networks'].values()))['IPAddress'])
    assert len(found) == 12
    podctl('rm', '-f', '-t', '0', *(f'p{number}' for number in range(12)))


def test_same_name_at_once(podctl, image):
    """One of eight gets the name; the others say so."""
    processes = [podctl.start('create', '--name', 'same', '--network=none', image, 'true', stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(8)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    codes = sorted(process.returncode for process in processes)
    assert codes == [0] + [125] * 7, errors
    podctl('rm', 'same')


def test_readers_never_wait_for_writers(podctl, image):
    """ps while pods come and go: always an answer, never an error, never late."""
    writer = subprocess.Popen(['sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do "$@" || exit 1; done', 'sh',
                               *podctl.words('run', '--rm', '--network=none', image, 'true')],
                              stdout=subprocess.DEVNULL)
    slowest = 0.0
    while writer.poll() is None:
        begin = time.monotonic()
        assert podctl('ps', '-a', '--format', 'json').code == 0
        slowest = max(slowest, time.monotonic() - begin)
    assert writer.returncode == 0 and slowest < 2


@pytest.mark.skipif(IS_PODMAN, reason='the supervisor is podctl\'s')
def test_sigkill_of_the_supervisor(podctl, image):
    """Its container is found out about by the next command, and goes with rm -f."""
    podctl('run', '-d', '--name', 's1', image, '/probe', 'sleep')
    payload = podctl.pid('s1')
    with open(f'/proc/{payload}/status', encoding='ascii') as stream:
        parent = int(next(line for line in stream if line.startswith('PPid:')).split()[1])
    os.kill(parent, signal.SIGKILL)
    time.sleep(0.1)
    assert podctl('ps', '-a').code == 0
    podctl('rm', '-f', '-t', '0', 's1')
    wait_for(lambda: not os.path.exists(f'/proc/{payload}'))


@pytest.mark.skipif(IS_PODMAN, reason='the directories are podctl\'s')
@pytest.mark.parametrize('damage', ['empty', 'garbage', 'half'])
def test_damaged_record(podctl, image, damage):
    """A record that cannot be read: the others are still listed, rm -f takes it away."""
    podctl('create', '--name', 'whole', '--network=none', image, 'true')
    identifier = podctl('create', '--name', 'broken', '--network=none', image, 'true').out
    paths = [f'{folder}/{name}' for top in ('/var/lib/podctl', '/run/podctl') for folder, _, names in os.walk(top)
             if identifier in folder for name in names if name.endswith('.json')]
    assert paths
    for path in paths:
        size = os.path.getsize(path)
        with open(path, 'r+b') as stream:
            if damage == 'garbage':
                stream.write(b'\xff' * size)
            stream.truncate({'empty': 0, 'garbage': size, 'half': size // 2}[damage])
    assert 'whole' in podctl('ps', '-a', '--format', '{{.Names}}').out
    podctl('rm', '-f', identifier, check=False)
    podctl('rm', '-f', '-i', 'broken', check=False)
    podctl('rm', '-f', 'whole')
    assert podctl('ps', '-aq').out == ''


def test_start_between_two_runs(podctl, image):
    """A container that waits for its restart starts at once, and stops as well."""
    podctl('run', '-d', '--name', 'c1', '--network=none', '--restart=always', image, 'sh', '-c', 'exit 3')
    wait_for(lambda: podctl.inspect('c1')['RestartCount'] >= 4)
    begin = time.monotonic()
    podctl('start', 'c1')
    assert time.monotonic() - begin < 1.5
    begin = time.monotonic()
    podctl('rm', '-f', '-t', '0', 'c1')
    assert time.monotonic() - begin < 1.5


@pytest.mark.skipif(IS_PODMAN, reason='the supervisor is podctl\'s')
@pytest.mark.parametrize('detach', [(), ('-d',)])
def test_supervisor_that_cannot_start(podctl, image, detach):
    """One line, and no container without a supervisor."""
    line = podctl.fails(125, 'run', *detach, '--name', 'c1', '--log-opt', 'tag=' + 'x' * 70000, image, '/probe', 'sleep')
    assert 'log tag' in line
    assert not podctl.running('c1')
    podctl('rm', 'c1')


def at_once(podctl, *commands):
    """Starts all of them at the same time; their exit codes."""
    processes = [podctl.start(*words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                 for words in commands]
    return [process.wait(30) for process in processes]


def test_pod_goes_while_members_come(podctl, image):
    """Who comes too late is told so, and is not left behind without its pod."""
    for _ in range(15):
        podctl('pod', 'create', '--name', 'p1')
        codes = at_once(podctl, ('run', '-d', '--pod', 'p1', '--name', 'a', image, '/probe', 'sleep'),
                        ('pod', 'rm', '-f', '-t', '0', 'p1'),
                        ('create', '--pod', 'p1', '--name', 'b', image, '/probe', 'sleep'))
        assert codes[1] == 0
        assert podctl('ps', '-aq').out == ''


def test_remove_while_it_is_started(podctl, image):
    """rm --force does not give up because somebody starts it again."""
    for _ in range(10):
        podctl('create', '--name', 'c1', '--network=none', image, '/probe', 'sleep')
        codes = at_once(podctl, ('start', 'c1'), ('restart', '-t', '0', 'c1'), ('rm', '-f', '-t', '0', 'c1'),
                        ('start', 'c1'))
        assert codes[2] == 0
        assert podctl('ps', '-aq').out == ''
