# SPDX-License-Identifier: LGPL-2.1-or-later
"""pause, unpause and stats."""
import json
import time

from lib.guest_podctl import IMAGE, counters, wait_for

MIB = 1024 * 1024


def counting(podctl, name, *options):
    podctl('run', '-d', '--name', name, *options, IMAGE, '/hog', 'count', '/tmp/n')
    wait_for(lambda: count(podctl, name) > 2)


def count(podctl, name):
    """Read from outside: nothing can be run in what is frozen."""
    text = podctl.vm.sh('cat "/proc/$1/root/tmp/n"', podctl.state(name)['Pid'], check=False).out
    return int(text or 0)


def test_pause(podctl):
    """A counter stands still while its container is paused, and goes on from there."""
    counting(podctl, 'c', '--network=none')
    podctl('pause', 'c')
    assert podctl.status('c') == 'paused' and counters(podctl.knob('c', 'cgroup.events'))['frozen'] == 1
    frozen = count(podctl, 'c')
    time.sleep(1)
    assert count(podctl, 'c') == frozen
    assert 'paused' in podctl.fails(125, 'exec', 'c', 'true')
    rows = podctl.json('ps', '--format', 'json')
    assert rows[0]['State'] == 'paused' and 'Paused' in podctl('ps').stdout
    podctl('unpause', 'c')
    wait_for(lambda: count(podctl, 'c') > frozen)
    assert podctl.status('c') == 'running'
    podctl('rm', '-f', '-t', '0', 'c')


def test_A14_3_what_is_paused_can_be_removed(podctl):
    for words in (('rm', '-f', '-t', '0'), ('stop', '-t', '1'), ('kill', '-s', 'KILL')):
        counting(podctl, 'c', '--network=none')
        podctl('pause', 'c')
        begin = time.monotonic()
        podctl(*words, 'c', check=False)
        if words[0] != 'rm':
            podctl('unpause', 'c', check=False)
            podctl('rm', '-f', '-t', '0', 'c')
        assert time.monotonic() - begin < 15, words


def test_pause_twice(podctl):
    counting(podctl, 'c', '--network=none')
    podctl('pause', 'c')
    podctl.fails(125, 'pause', 'c')
    podctl('unpause', 'c')
    podctl.fails(125, 'unpause', 'c')
    podctl('rm', '-f', '-t', '0', 'c')
    podctl.fails(125, 'pause', 'c')


def test_pod_pause(podctl):
    podctl('pod', 'create', '--name', 'p', '--network=none')
    for name in ('a', 'b'):
        podctl('pod', 'add', '--name', name, 'p', IMAGE, '/hog', 'count', '/tmp/n')
        wait_for(lambda name=name: count(podctl, name) > 2)
    podctl('pod', 'pause', 'p')
    before = count(podctl, 'a'), count(podctl, 'b')
    time.sleep(0.7)
    assert (count(podctl, 'a'), count(podctl, 'b')) == before
    podctl('pod', 'unpause', 'p')
    wait_for(lambda: count(podctl, 'a') > before[0] and count(podctl, 'b') > before[1])
    podctl('pod', 'pause', 'p')
    podctl('pod', 'rm', '-f', '-t', '0', 'p')


def test_stats(podctl):
    """Numbers that can be true of a container that holds 20 MiB and of one that computes."""
    podctl('run', '-d', '--name', 'holds', '--network=none', '--memory=64m', IMAGE, '/hog', 'memory', '20')
    podctl('run', '-d', '--name', 'computes', '--network=none', IMAGE, 'sh', '-c', 'while :; do :; done')
    wait_for(lambda: 'done' in podctl('logs', 'holds').stdout)
    rows = {row['name']: row for row in json.loads(podctl('stats', '--no-stream', '--format', 'json').stdout)}
    assert set(rows) == {'holds', 'computes'}
    holds, computes = rows['holds'], rows['computes']
    used, limit = holds['mem_usage'].split(' / ')
    assert 20 <= megabytes(used) < 40 and 60 < megabytes(limit) < 70, holds
    assert 25 < float(holds['mem_percent'].rstrip('%')) < 60, holds
    # Since the start: touching memory has cost something too.
    assert 100 * 2 >= float(computes['cpu_percent'].rstrip('%')) > float(holds['cpu_percent'].rstrip('%')), rows
    assert int(computes['pids']) == 1
    assert len(podctl('stats', '--no-stream').out.split('\n')) == 3
    podctl('rm', '-f', '-t', '0', 'holds', 'computes')


def megabytes(text):
    number = float(text.rstrip('kKMGiB'))
    unit = text[len(text.rstrip('kKMGiB')):]
    return number * {'B': 1e-6, 'kB': 1e-3, 'KiB': 1024e-6, 'MB': 1, 'MiB': MIB / 1e6, 'GB': 1e3, 'GiB': 1073.7}[unit]


def test_pod_stats(podctl):
    podctl('pod', 'create', '--name', 'p', '--network=none')
    for name in ('a', 'b'):
        podctl('pod', 'add', '--name', name, 'p', IMAGE, '/probe', 'sleep')
    rows = json.loads(podctl('pod', 'stats', '--no-stream', '--format', 'json', 'p').stdout)
    assert rows, rows
    podctl('pod', 'rm', '-f', '-t', '0', 'p')
