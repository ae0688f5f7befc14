# SPDX-License-Identifier: LGPL-2.1-or-later
"""Coming to a container and leaving it: attach, detach keys, start --attach, exec --detach, terminals."""
import os
import signal
import subprocess
import time

import pytest

from lib.attached import at_terminal, attached, logs_have, supervisor
from lib.command import IS_PODMAN, wait_for

ours = pytest.mark.skipif(IS_PODMAN, reason='about podctl\'s own programs')

LEAVE = '\x10\x11'  # ctrl-p ctrl-q
# Answers every line with itself; "end N" ends it.
ECHO = 'echo ready; while read -r line; do case $line in end*) exit ${line#end };; esac; echo "got $line"; done; echo eof'


# --- attach -----------------------------------------------------------------------------------------------------------

def test_attach_passes_input_and_shows_output(podctl, started):
    started('sh', '-c', ECHO, options=('-i',))
    with at_terminal(podctl, 'attach', 'c1') as terminal:
        terminal.type('one\n')
        terminal.expect('got one')
        terminal.type('end 3\n')
        assert terminal.wait() == (0 if IS_PODMAN else 3)


def test_attach_input_ends_with_its_file(podctl, started):
    started('sh', '-c', ECHO, options=('-i',))
    done = podctl('attach', 'c1', input='a\nb\n')
    assert done.stdout.strip().split('\n')[-3:] == ['got a', 'got b', 'eof']


@ours
def test_input_waits_for_somebody(podctl, started):
    """-d -i: nobody is there yet, and that is not the end of the input."""
    started('sh', '-c', ECHO, options=('-i',))
    time.sleep(0.3)
    assert podctl.running('c1')
    podctl('attach', 'c1', input='end 0\n')
    assert not podctl.running('c1')


@ours
def test_attach_tells_the_status_of_a_container_that_goes(podctl, started):
    started('sh', '-c', 'sleep 0.5; echo last; exit 9', options=('--rm',))
    done = podctl('attach', '--no-stdin', 'c1', check=False)
    assert (done.code, done.stdout) == (9, 'last\n')
    assert podctl('container', 'exists', 'c1', check=False).code == 1


def test_attach_separates_output_and_errors(podctl, started):
    started('sh', '-c', 'sleep 0.5; echo out; echo err >&2')
    done = podctl('attach', '--no-stdin', 'c1')
    assert done.stdout.strip() == 'out' and done.stderr == 'err\n'


@ours
def test_attach_latest_and_no_stdin(podctl, started):
    started('sh', '-c', ECHO, options=('-i',))
    process = podctl.start('attach', '-l', '--no-stdin', stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write('end 4\n')
    process.stdin.close()
    time.sleep(0.3)
    assert process.poll() is None and podctl.running('c1')
    podctl('kill', 'c1')
    assert process.wait(10) == 137
    process.stdout.close()


def test_attach_only_to_a_running_container(podctl, image):
    podctl('create', '--name', 'c1', '--network=none', image, 'true')
    assert 'you can only attach to running containers' in podctl.fails(125, 'attach', 'c1')
    podctl('rm', 'c1')
    podctl.fails(125, 'attach', 'nobody')
    podctl.fails(125, 'attach')


@pytest.mark.parametrize('keys', ['ctrl-A', 'ctrl-', 'ctrl-aa', 'abc', 'a,,b', 'ctrl-1', ','])
@ours
def test_bad_detach_keys(podctl, image, keys):
    for words in (('run', '--rm', f'--detach-keys={keys}', image, 'true'), ('attach', f'--detach-keys={keys}', 'c1'),
                  ('start', '-a', f'--detach-keys={keys}', 'c1'),
                  ('exec', f'--detach-keys={keys}', 'c1', 'true')):
        line = podctl.fails(125, *words)
        assert '--detach-keys' in line and keys in line


@ours
def test_attach_with_a_terminal(podctl, started):
    started('sh', options=('-i', '-t'))
    with at_terminal(podctl, 'attach', 'c1', rows=31, columns=97) as terminal:
        wait_for(terminal.is_raw)
        terminal.type('stty size\n')
        terminal.expect('31 97')
        terminal.resize(40, 120)
        wait_for(lambda: window_size(podctl, 'c1') == '40 120')
        terminal.type('A=kept\n' + LEAVE)
        assert terminal.wait() == 0
        assert not terminal.is_raw()
    with at_terminal(podctl, 'attach', 'c1') as terminal:
        terminal.type('echo is-$A\n')
        terminal.expect('is-kept')
        terminal.type('exit 5\n')
        assert terminal.wait() == 5


def window_size(podctl, name):
    return podctl('exec', name, 'sh', '-c', 'stty size </dev/pts/0').out


@ours
def test_several_at_one_container(podctl, started):
    started('sh', options=('-i', '-t'))
    with at_terminal(podctl, 'attach', 'c1') as one, at_terminal(podctl, 'attach', 'c1') as two:
        wait_for(lambda: one.is_raw() and two.is_raw())
        one.type('echo by-$((1+1))\n')
        one.expect('by-2')
        two.expect('by-2')
        two.type('echo by-$((2+2))\n')
        one.expect('by-4')
        two.expect('by-4')
        one.type(LEAVE)
        assert one.wait() == 0
        two.type('exit 6\n')
        assert two.wait() == 6


@ours
def test_attach_passes_signals(podctl, started):
    started('sh', '-c', 'trap "echo told; exit 8" USR1; echo ready; while :; do sleep 0.05; done')
    logs_have(podctl, 'c1', 'ready')
    process = podctl.start('attach', 'c1', stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    wait_for(lambda: attached(podctl, 'c1') == 1)
    process.send_signal(signal.SIGUSR1)
    assert process.communicate(timeout=10)[0] == 'told\n' and process.returncode == 8


@ours
def test_attach_beside_a_foreground_run(podctl, image):
    process = podctl.start('run', '--rm', '--name', 'c1', '--network=none', image, 'sh', '-c',
                           'sleep 1; echo both; exit 2', stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    wait_for(lambda: podctl('container', 'exists', 'c1', check=False).code == 0 and podctl.running('c1'))
    done = podctl('attach', '--no-stdin', 'c1', check=False)
    assert (done.code, done.stdout) == (2, 'both\n')
    assert process.communicate(timeout=10)[0] == 'both\n' and process.returncode == 2


# --- run and start ----------------------------------------------------------------------------------------------------

def test_run_is_left_and_found_again(podctl, image):
    with at_terminal(podctl, 'run', '-it', '--name', 'c1', '--network=none', image, 'sh') as terminal:
        terminal.type('A=kept; echo ready-$((3+4))\n')
        terminal.expect('ready-7')
        terminal.type(LEAVE)
        assert terminal.wait() == 0
    assert podctl.running('c1')
    with at_terminal(podctl, 'attach', 'c1') as terminal:
        terminal.type('echo is-$A\n')
        terminal.expect('is-kept')
        terminal.type(LEAVE)
        assert terminal.wait() == 0
    podctl('rm', '-f', '-t', '0', 'c1')


@ours
def test_nothing_is_shown_after_leaving(podctl, image):
    with at_terminal(podctl, 'run', '-it', '--name', 'c1', '--network=none', image, 'sh', '-c',
                     'i=0; while :; do i=$((i+1)); echo line-$i; sleep 0.02; done') as terminal:
        terminal.expect('line-3')
        terminal.type(LEAVE)
        terminal.wait()
        shown = terminal.text
        time.sleep(0.3)
        terminal.read()
        assert terminal.text == shown
        # and nobody keeps the terminal
        pid = supervisor(podctl, 'c1')
        devices = [os.stat(f'/proc/{pid}/fd/{number}') for number in os.listdir(f'/proc/{pid}/fd')]
        assert terminal.device not in [(status.st_dev, status.st_rdev) for status in devices]
    podctl('rm', '-f', '-t', '0', 'c1')


def test_own_detach_keys(podctl, image):
    with at_terminal(podctl, 'run', '-it', '--detach-keys', 'ctrl-x,x,@', '--name', 'c1', '--network=none', image,
                     'cat') as terminal:
        wait_for(terminal.is_raw)
        terminal.type('a\x10\x11b\x18xb\n')
        terminal.expect('b\r\n')
        assert podctl.running('c1')
        terminal.type('\x18x@')
        assert terminal.wait() == 0
    assert podctl.running('c1')
    podctl('rm', '-f', '-t', '0', 'c1')


@ours
def test_no_detach_keys(podctl, image):
    with at_terminal(podctl, 'run', '-it', '--rm', '--detach-keys', '', '--network=none', image, 'sh', '-c',
                     'stty raw -echo; echo ready; head -c 2 | od -An -tx1') as terminal:
        terminal.expect('ready')
        terminal.type(LEAVE)
        terminal.expect('10 11')
        assert terminal.wait() == 0


@ours
def test_run_rm_is_removed_after_it_was_left(podctl, image):
    with at_terminal(podctl, 'run', '-it', '--rm', '--name', 'c1', '--network=none', image, 'sh', '-c',
                     'echo ready; sleep 1') as terminal:
        terminal.expect('ready')
        terminal.type(LEAVE)
        assert terminal.wait() == 0
    assert podctl.running('c1')
    wait_for(lambda: podctl('container', 'exists', 'c1', check=False).code == 1)


@ours
def test_a_front_that_is_killed_leaves_the_container(podctl, image):
    with at_terminal(podctl, 'run', '-it', '--rm', '--name', 'c1', '--network=none', image, 'sh') as terminal:
        terminal.type('echo ready-$((1+1))\n')
        terminal.expect('ready-2')
        terminal.process.kill()
        terminal.process.wait(10)
    with at_terminal(podctl, 'attach', 'c1') as terminal:
        terminal.type('exit 0\n')
        assert terminal.wait() == 0
    wait_for(lambda: podctl('container', 'exists', 'c1', check=False).code == 1)


@ours
@pytest.mark.parametrize('streams, out, err', [(('stdout',), 'out\n', ''), (('stderr',), '', 'err\n'),
                                              (('stdout,STDERR',), 'out\n', 'err\n'),
                                              (('stdout', 'stderr'), 'out\n', 'err\n')])
def test_run_attach_streams(podctl, image, streams, out, err):
    words = [word for stream in streams for word in ('-a', stream)]
    done = podctl('run', '--rm', '--network=none', *words, image, 'sh', '-c', 'echo out; echo err >&2; exit 3',
                  check=False)
    assert (done.code, done.stdout, done.stderr) == (3, out, err)


@ours
def test_run_attach_only_input(podctl, image):
    done = podctl('run', '--name', 'c1', '--network=none', '-i', '-a', 'stdin', image, 'cat', input='kept\n')
    assert done.stdout == '' and podctl('logs', 'c1').stdout == 'kept\n'
    podctl('rm', 'c1')


@ours
def test_run_attach_is_checked(podctl, image):
    assert 'stdwhat' in podctl.fails(125, 'run', '-a', 'stdwhat', '--network=none', image, 'true')
    assert '--interactive' in podctl.fails(125, 'run', '-a', 'stdin', '--network=none', image, 'true')
    assert '--detach' in podctl.fails(125, 'run', '-d', '-a', 'stdout', '--network=none', image, 'true')
    assert '--attach' in podctl.fails(125, 'create', '-a', 'stdout', '--network=none', image, 'true')


def test_terminal_size_is_there_from_the_start(podctl, image):
    with at_terminal(podctl, 'run', '--rm', '-it', '--network=none', image, 'stty', 'size', rows=33,
                     columns=101) as terminal:
        terminal.expect('33 101')
        assert terminal.wait() == 0


def test_terminal_is_resized(podctl, image):
    with at_terminal(podctl, 'run', '--rm', '-it', '--network=none', image, 'sh', '-c',
                     'trap "stty size" WINCH; echo ready; while :; do sleep 0.05; done') as terminal:
        terminal.expect('ready')
        terminal.resize(51, 131)
        terminal.expect('51 131')
        terminal.type('\x03')
        assert terminal.wait() == 130


def test_no_terminal_is_told(podctl, image):
    done = podctl('run', '--rm', '-it', '--network=none', image, 'cat', input='x\n')
    assert 'TTY' in done.stderr or 'terminal' in done.stderr
    assert 'x' in done.stdout


@ours
def test_restart_with_a_terminal_in_the_foreground(podctl, image):
    script = 'echo run-$((40+2)); read line; echo got-$line; [ "$line" = stop ] && exit 0; exit 1'
    with at_terminal(podctl, 'run', '-it', '--name', 'c1', '--restart=on-failure:5', '--network=none', image, 'sh',
                     '-c', script, rows=20, columns=70) as terminal:
        for word in ('one', 'two'):
            terminal.expect('run-42')
            terminal.type(f'{word}\n')
            terminal.expect(f'got-{word}')
        terminal.expect('run-42')
        terminal.type('stop\n')
        terminal.expect('got-stop')
        assert terminal.wait() == 0
    podctl('rm', 'c1')


@ours
def test_an_interrupted_run_leaves_the_container(podctl, image):
    process = podctl.start('run', '--rm', '--sig-proxy=false', '--name', 'c1', '--network=none', image, 'sh', '-c',
                           'echo ready; sleep 100', stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'ready\n'
    process.terminate()
    assert process.communicate(timeout=10)[1].strip().endswith('the container goes on') and process.returncode == 125
    assert podctl.running('c1')
    podctl('rm', '-f', '-t', '0', 'c1')


def test_start_attach(podctl, image):
    podctl('create', '--name', 'c1', '--network=none', image, 'sh', '-c', 'echo out; exit 4')
    done = podctl('start', '-a', 'c1', check=False)
    assert (done.code, done.stdout) == (4, 'out\n')
    podctl('rm', 'c1')


@ours
def test_start_attach_interactive(podctl, image):
    podctl('create', '-i', '--name', 'c1', '--network=none', image, 'sh', '-c', ECHO)
    for _ in range(2):
        done = podctl('start', '-a', '-i', 'c1', input='x\nend 5\n', check=False)
        assert (done.code, done.stdout) == (5, 'ready\ngot x\n')
    podctl('rm', 'c1')


@ours
def test_start_attach_to_one_that_runs(podctl, started):
    started('sh', '-c', ECHO, options=('-i',))
    done = podctl('start', '-a', '-i', 'c1', input='x\nend 5\n', check=False)
    assert done.code == 5 and 'got x\n' in done.stdout


@ours
def test_start_attach_with_a_terminal_is_left(podctl, image):
    podctl('create', '-it', '--name', 'c1', '--network=none', image, 'sh')
    with at_terminal(podctl, 'start', '-ai', '--detach-keys=ctrl-x', 'c1') as terminal:
        terminal.type('echo ready-$((1+1))\n')
        terminal.expect('ready-2')
        terminal.type('\x18')
        assert terminal.wait() == 0
    assert podctl.running('c1')
    podctl('rm', '-f', '-t', '0', 'c1')


def test_start_options_that_need_attach(podctl, image):
    podctl('create', '--name', 'c1', '--network=none', image, 'true')
    assert 'sig-proxy' in podctl.fails(125, 'start', '--sig-proxy', 'c1')
    podctl('rm', 'c1')


# --- exec -------------------------------------------------------------------------------------------------------------

def zombies():
    count = 0
    for entry in os.listdir('/proc'):
        try:
            with open(f'/proc/{entry}/stat', encoding='utf-8', errors='replace') as stream:
                count += stream.read().rsplit(')', 1)[1].split()[0] == 'Z'
        except (OSError, IndexError):
            pass
    return count


def pids_in(podctl, name):
    return [int(line) for line in podctl('top', name, 'hpid').out.split('\n')[1:]]


def test_exec_detached_goes_on(podctl, started):
    started('sleep', '100')
    before = zombies()
    done = podctl('exec', '-d', 'c1', 'sh', '-c', 'sleep 0.3; echo x > /tmp/made; exit 7')
    assert len(done.out) == 64
    wait_for(lambda: podctl('exec', 'c1', 'test', '-e', '/tmp/made', check=False).code == 0)
    wait_for(lambda: len(pids_in(podctl, 'c1')) == 1)
    wait_for(lambda: zombies() <= before)


@ours
def test_exec_detached_with_a_terminal(podctl, started):
    started('sleep', '100')
    # more than a terminal holds: somebody reads it away
    podctl('exec', '-d', '-t', 'c1', 'sh', '-c', 'i=0; while [ $i -lt 3000 ]; do echo a-long-line-$i; i=$((i+1)); done;'
           ' test -t 1 && echo > /tmp/made')
    wait_for(lambda: podctl('exec', 'c1', 'test', '-e', '/tmp/made', check=False).code == 0)


@ours
def test_exec_detached_ends_with_the_container(podctl, started):
    started('sleep', '100')
    podctl('exec', '-d', 'c1', 'sleep', '99')
    pids = wait_for(lambda: len(pids_in(podctl, 'c1')) == 2 and pids_in(podctl, 'c1'))
    podctl('kill', 'c1')
    podctl('wait', 'c1', check=False)
    wait_for(lambda: not [pid for pid in pids if os.path.exists(f'/proc/{pid}')])


def test_exec_detached_tells_what_is_wrong(podctl, started):
    started('sleep', '100')
    assert podctl('exec', '-d', 'c1', '/nothing', check=False).code == 127
    podctl.fails(125, 'exec', '-d', 'nobody', 'true')


@ours
def test_exec_has_the_terminal_size_from_the_start(podctl, started):
    started('sleep', '100')
    with at_terminal(podctl, 'exec', '-it', 'c1', 'stty', 'size', rows=44, columns=111) as terminal:
        terminal.expect('44 111')
        assert terminal.wait() == 0


@ours
def test_exec_is_resized(podctl, started):
    started('sleep', '100')
    with at_terminal(podctl, 'exec', '-it', 'c1', 'sh', '-c',
                     'trap "stty size" WINCH; echo ready; while :; do sleep 0.05; done') as terminal:
        terminal.expect('ready')
        terminal.resize(52, 132)
        terminal.expect('52 132')
        terminal.type('\x03')
        assert terminal.wait() == 130


@ours
def test_exec_is_left(podctl, started):
    started('sleep', '100')
    before = zombies()
    with at_terminal(podctl, 'exec', '-it', 'c1', 'sh', '-c',
                     'echo ready; i=0; while [ $i -lt 3000 ]; do echo a-long-line-$i; i=$((i+1)); done; sleep 1;'
                     ' echo > /tmp/made') as terminal:
        terminal.expect('ready')
        terminal.type(LEAVE)
        assert terminal.wait() == 0
    wait_for(lambda: podctl('exec', 'c1', 'test', '-e', '/tmp/made', check=False).code == 0)
    wait_for(lambda: len(pids_in(podctl, 'c1')) == 1)
    wait_for(lambda: zombies() <= before)
