# SPDX-License-Identifier: LGPL-2.1-or-later
"""Coming to a container and leaving it: attach, detach keys, exec --detach, terminals; and the supervisor's own
walls (security.md A17.3, A22, B1-09, B7, B9-01, B12-03 to B12-05)."""
import os
import signal
import socket
import struct
import subprocess
import time

import pytest

from lib.command import IS_PODMAN, wait_for
from lib.terminal import Terminal

ours = pytest.mark.skipif(IS_PODMAN, reason='about podctl\'s own programs')

LEAVE = '\x10\x11'  # ctrl-p ctrl-q
# Answers every line with itself; "end N" ends it.
ECHO = 'echo ready; while read -r line; do case $line in end*) exit ${line#end };; esac; echo "got $line"; done; echo eof'
RUN = '/run/podctl/containers'


@pytest.fixture
def started(podctl, image):
    """Starts containers in the background; they are removed afterwards."""
    names = []

    def start(*words, options=(), name='c1'):
        names.append(name)
        podctl('run', '-d', '--name', name, '--network=none', *options, image, *words)
        return name

    yield start
    for name in names:
        podctl('rm', '-f', '-t', '0', name, check=False)


def at_terminal(podctl, *words, **more):
    return Terminal(podctl.words(*words), **more)


def supervisor(podctl, name):
    """Its pid: the parent of the container's first process."""
    with open(f'/proc/{podctl.pid(name)}/stat', encoding='ascii') as stream:
        return int(stream.read().rsplit(')', 1)[1].split()[1])


def supervisor_id(podctl, name):
    return podctl.inspect(name)['Id']


def status_fields(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as stream:
        return dict(line.rstrip('\n').split(':\t', 1) for line in stream if ':\t' in line)


def logs_have(podctl, name, text):
    return wait_for(lambda: text in podctl('logs', name).stdout)


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


def attached(podctl, name):
    """How many are connected: the supervisor's own ends of the socket."""
    pid = supervisor(podctl, name)
    sockets = 0
    for number in os.listdir(f'/proc/{pid}/fd'):
        try:
            if os.readlink(f'/proc/{pid}/fd/{number}').startswith('socket:'):
                sockets += 1
        except OSError:
            pass
    return sockets - 1  # the one that listens


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


def descriptors(pid):
    found = []
    for number in os.listdir(f'/proc/{pid}/fd'):
        try:
            found.append(os.readlink(f'/proc/{pid}/fd/{number}'))
        except OSError:
            pass
    return found


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
    with at_terminal(podctl, 'run', '-it', '--rm', '--restart=on-failure:5', '--network=none', image, 'sh', '-c',
                     script, rows=20, columns=70) as terminal:
        for word in ('one', 'two'):
            terminal.expect('run-42')
            terminal.type(f'{word}\n')
            terminal.expect(f'got-{word}')
        terminal.expect('run-42')
        terminal.type('stop\n')
        terminal.expect('got-stop')
        assert terminal.wait() == 0


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


# --- the supervisor's own walls ---------------------------------------------------------------------------------------

@ours
def sec_A17_3_supervisor_state(podctl, started):
    started('sleep', '100')
    pid = supervisor(podctl, 'c1')
    assert os.getsid(pid) == pid
    assert os.readlink(f'/proc/{pid}/cwd') == '/'
    for number in range(3):
        assert os.readlink(f'/proc/{pid}/fd/{number}') == '/dev/null'


@ours
def sec_A17_3_adopts_orphans(podctl, started):
    """The parent of what the container leaves behind in the host's pid namespace."""
    started('sh', '-c', 'sh -c "sleep 50 & echo \\$!"; sleep 100', options=('--pid=host',))
    logs_have(podctl, 'c1', '\n')
    orphan = int(podctl('logs', 'c1').out)
    with open(f'/proc/{orphan}/stat', encoding='ascii') as stream:
        parent = int(stream.read().rsplit(')', 1)[1].split()[1])
    assert parent == supervisor(podctl, 'c1')
    podctl('rm', '-f', '-t', '0', 'c1')
    if os.path.exists(f'/proc/{orphan}'):  # without a cgroup nobody knows it
        os.kill(orphan, signal.SIGKILL)


@ours
def sec_A22_1_supervisor_sandbox(podctl, started):
    started('sleep', '100')
    pid = supervisor(podctl, 'c1')
    fields = status_fields(pid)
    kept = 1 << 5 | 1 << 1  # KILL, DAC_OVERRIDE
    for name in ('CapEff', 'CapPrm', 'CapInh', 'CapAmb'):
        assert int(fields[name], 16) & ~kept == 0, (name, fields[name])
    with open(f'/proc/{pid}/limits', encoding='ascii') as stream:
        core = [line for line in stream if line.startswith('Max core file size')][0]
    assert core.split()[4] == '0'
    # what is not dumpable belongs to root, whoever runs it
    code = f'import os; os.setuid(1000); os.listdir("/proc/{pid}/fd")'
    assert subprocess.run(['python3', '-c', code], capture_output=True, check=False).returncode != 0
    # lowering it is a right that root may lack in a container
    may_lower = int(status_fields('self')['CapEff'], 16) >> 24 & 1
    with open(f'/proc/{pid}/oom_score_adj', encoding='ascii') as stream:
        assert int(stream.read()) == (-900 if may_lower else 0)
    listening = [fd for fd in descriptors(pid) if fd.startswith('socket:')]
    assert len(listening) == 1  # the attach socket


@ours
def sec_A22_1_scores_do_not_reach_the_container(podctl, started):
    """Also not over a restart, which the supervisor's process makes."""
    started('sh', '-c', 'cat /proc/self/oom_score_adj /proc/self/limits; grep NoNewPrivs /proc/self/status; '
            'sleep 0.2; [ -e /second ] || { touch /second; exit 1; }; sleep 100', options=('--restart=on-failure',))
    wait_for(lambda: podctl('logs', 'c1').stdout.count('Max core file size') == 2)
    lines = podctl('logs', 'c1').out.split('\n')
    half = len(lines) // 2
    assert lines[:half] == lines[half:]
    assert lines[0] == '0' and not [line for line in lines if line.startswith('NoNewPrivs') and line.endswith('1')]
    assert podctl('exec', 'c1', 'cat', '/proc/self/oom_score_adj').out == '0'


@ours
@pytest.mark.parametrize('way', ['run', 'run -t', 'exec', 'exec -t', 'attach'])
def vuln_B1_09_terminal_input(podctl, image, started, way):
    """A program in the container reaches no terminal but its own."""
    script = '(: < /dev/tty) 2>/dev/null && echo has-tty || echo no-tty; /probe tiocsti; echo over; sleep 0.2'
    with_terminal = way.endswith('-t') or way == 'attach'
    options = ['-it'] if with_terminal else ['-i']
    if way.startswith('run'):
        words = ['run', '--rm', '--network=none', *options, image, 'sh', '-c', script]
    elif way.startswith('exec'):
        started('sleep', '100')
        words = ['exec', *options, 'c1', 'sh', '-c', script]
    else:
        started('sh', '-c', f'read line; {script}', options=('-it',))
        words = ['attach', 'c1']
    # a shell that is typed to: what the container pushes in would be a command of it
    with Terminal(['sh']) as terminal:
        terminal.type('PS1=; stty -echo; echo quiet-$((1+1))\n')
        terminal.expect('quiet-2')
        terminal.type(' '.join(f"'{word}'" for word in podctl.words(*words)) + '\n')
        if way == 'attach':
            time.sleep(0.5)
            terminal.type('\n')
        terminal.expect('over')
        time.sleep(0.5)
        terminal.type('echo still-$((1+1))\n')
        terminal.expect('still-2')
        assert ('has-tty' in terminal.text) == with_terminal
        assert 'pushed-7' not in terminal.text
        terminal.type('exit\n')
        terminal.wait()


@ours
@pytest.mark.parametrize('script', ['head -c 268435456 /dev/zero', 'head -c 134217728 /dev/zero | tr "\\0" "\\n"'],
                         ids=['endless line', 'tiny lines'])
def vuln_B7_01_output_is_not_kept(podctl, started, script):
    """Neither by the supervisor nor by exec, and the log keeps its limit."""
    limit = 65536
    started('sh', '-c', f'{script}; echo; echo over; sleep 100',
            options=('--log-driver=k8s-file', '--log-opt', f'max-size={limit}'))
    path = podctl.inspect('c1')['HostConfig']['LogConfig']['Path']
    wait_for(lambda: tail(path).endswith(' over\n'), 100)
    assert os.path.getsize(path) <= limit
    peak = status_fields(supervisor(podctl, 'c1'))['VmHWM'].split()[0]
    assert int(peak) < 1024
    process = podctl.start('exec', 'c1', 'sh', '-c', f'{script}; sleep 0.5', stdout=subprocess.PIPE)
    size = 0
    while chunk := process.stdout.read(1 << 20):
        size += len(chunk)
        peak = status_fields(process.pid).get('VmHWM', '0').split()[0]
        assert int(peak) < 16384
    process.stdout.close()
    assert process.wait(10) == 0 and size in (268435456, 134217728)


@ours
@pytest.mark.limit(300)
def vuln_B7_02_cycles_leak_nothing(podctl, started):
    """Attach, resize and detach, many times; exec a few: the supervisor is as it was."""
    started('sh', '-c', 'while :; do sleep 1000; done', options=('-it',))
    pid = supervisor(podctl, 'c1')
    socket_path = f'{RUN}/{supervisor_id(podctl, "c1")}/attach'
    cycles(socket_path, 100)
    time.sleep(1.5)
    before = (len(os.listdir(f'/proc/{pid}/fd')), len(os.listdir(f'/proc/{pid}/task')), own_memory(pid))
    cycles(socket_path, 100000 if os.environ.get('PODCTL_TEST_FULL') else 20000)
    for _ in range(50):
        podctl('exec', 'c1', 'true')
    time.sleep(1.5)
    after = (len(os.listdir(f'/proc/{pid}/fd')), len(os.listdir(f'/proc/{pid}/task')), own_memory(pid))
    assert after[:2] == before[:2] and after[2] <= before[2] + 4, (before, after)
    assert after[2] < 25


def own_memory(pid):
    """kB that it has for itself; the program's text is shared by all supervisors, and lies in memory here."""
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as stream:
        return sum(int(line.split()[1]) for line in stream if line.startswith('Anonymous:'))


def connect(path):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(10)
    client.connect(path)
    return client


def greet(path, flags=3):
    client = connect(path)
    client.send(struct.pack('=BBH', ord('H'), 1, flags))
    assert client.recv(100)[:1] == b'W'
    return client


def cycles(path, count):
    for i in range(count):
        with greet(path) as client:
            client.send(struct.pack('=B3xII', ord('R'), 20 + i % 10, 80))


@ours
@pytest.mark.limit(240)
def vuln_B7_03_slow_clients(podctl, started):
    """Clients that never read, and a stopped one, hold neither the container nor its log up."""
    total = 64 << 20
    started('sh', '-c', f'read go; head -c {total} /dev/zero | tr "\\0" x | fold -w 127; echo; echo over >&2; sleep 100',
            options=('-i', '--log-driver=k8s-file'))
    path = f'{RUN}/{supervisor_id(podctl, "c1")}/attach'
    clients = [greet(path) for _ in range(63)]
    stopped = podctl.start('attach', '--no-stdin', 'c1', stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: attached(podctl, 'c1') == 64)
    stopped.send_signal(signal.SIGSTOP)
    assert 'too many' in podctl.fails(125, 'attach', 'c1')
    begun = time.monotonic()
    clients[0].send(b'Ix\n')
    log = podctl.inspect('c1')['HostConfig']['LogConfig']['Path']
    wait_for(lambda: tail(log).endswith(' over\n'), 100)
    assert time.monotonic() - begun < 60
    with open(log, 'rb') as stream:
        assert sum(len(line.split(b' ', 3)[3]) - 1 for line in stream if b' stdout F ' in line) == total
    for client in clients:
        client.close()
    wait_for(lambda: attached(podctl, 'c1') == 1)
    stopped.kill()
    stopped.wait(10)


def tail(path):
    with open(path, 'rb') as stream:
        stream.seek(max(0, os.path.getsize(path) - 200))
        return stream.read().decode()


@ours
def test_a_client_that_reads_gets_everything(podctl, started):
    total = 32 << 20
    started('sh', '-c', f'read go; head -c {total} /dev/zero | tr "\\0" x', options=('-i', '--log-driver=none'))
    done = podctl('attach', 'c1', input='go\n')
    assert len(done.stdout) == total and done.stderr == ''


@ours
def vuln_B7_04_other_users(podctl, started):
    """The directory keeps others out; who gets in all the same is sent away."""
    started('sleep', '100')
    path = f'{RUN}/{supervisor_id(podctl, "c1")}/attach'
    code = ('import os, socket, sys; fd = os.open(os.path.dirname(sys.argv[1]), os.O_PATH) if sys.argv[2] == "in" else -1\n'
            's = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n'
            'os.setgroups([]); os.setgid(1000); os.setuid(1000)\n'
            'try:\n'
            '    s.connect(sys.argv[1])\n'
            'except PermissionError:\n'
            '    sys.exit(13)\n')
    assert subprocess.run(['python3', '-c', code, path, 'out'], check=False).returncode == 13
    assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700
    assert os.stat(path).st_mode & 0o177 == 0
    # connected as root, the wrong one from then on does not matter; as another user it is refused
    code = ('import os, socket, sys\n'
            's = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.settimeout(10)\n'
            'fd = os.open(sys.argv[1], os.O_PATH)\n'
            'os.seteuid(1000)\n'
            's.connect(f"/proc/self/fd/{fd}")\n'
            's.send(b"H\\1\\3\\0")\n'
            'print(s.recv(100))\n')
    os.chmod(path, 0o777)
    done = subprocess.run(['python3', '-c', code, path], capture_output=True, text=True, check=False)
    assert 'W' not in done.stdout, done
    assert 'PermissionError' not in done.stderr
    with greet(path):
        pass


BAD_MESSAGES = [
    b'', b'\0', b'I', b'Ix', b'Z', b'Z\0', b'H', b'H\1', b'H\2\3\0', b'H\1\xff\xff', b'H\1\3\0\0', b'R', b'R' * 12, b'W\1\3\0',
    b'X' * 8, b'q', b'\xff' * 2048, b'I' * 2049, b'I' * 65536, struct.pack('=B3xII', ord('R'), 1000000, 80),
    struct.pack('=B3xii', ord('R'), -1, -1), struct.pack('=B3xI', ord('R'), 1),
]


@ours
def vuln_B7_05_malformed_messages(podctl, started):
    started('sh', '-c', ECHO, options=('-it',))
    path = f'{RUN}/{supervisor_id(podctl, "c1")}/attach'
    pid = supervisor(podctl, 'c1')
    count = len(os.listdir(f'/proc/{pid}/fd'))
    good = {b'Ix', b'Z'}
    for greeted in (False, True):
        for message in BAD_MESSAGES:
            if greeted and message in good:
                continue
            with (greet(path) if greeted else connect(path)) as client:
                try:
                    client.send(message)
                    while client.recv(1 << 16):
                        pass
                except (ConnectionError, BrokenPipeError):
                    pass
    # descriptors that come along are not kept
    for _ in range(20):
        with greet(path) as client:
            socket.send_fds(client, [b'Ix'], [0, 1, 2])
    wait_for(lambda: len(os.listdir(f'/proc/{pid}/fd')) == count)
    with greet(path) as client:
        client.send(b'I\nend 3\n')
        while message := client.recv(1 << 16):
            last = message
        assert last[:1] == b'X'
    assert podctl('wait', 'c1').out == '3'


@ours
@pytest.mark.parametrize('kind', ['symlink', 'fifo', 'device', 'hardlink', 'directory', 'foreign'])
def vuln_B7_06_log_path(podctl, image, tmp_path, kind):
    """The log is written to and read from a file of ours only."""
    secret, path = tmp_path / 'secret', tmp_path / 'log'
    secret.write_text('2026-01-01T00:00:00.000000000+00:00 stdout F secret\n')
    words = ('--name', 'c1', '--network=none', '--log-driver=k8s-file', '--log-opt', f'path={path}', image, 'echo',
             'hello')
    podctl('create', *words)
    make_odd_file(kind, secret, path)
    line = podctl.fails(125, 'start', 'c1')
    assert str(path) in line and 'log' in line
    podctl('rm', 'c1')
    line = podctl.fails(125, 'run', *words)
    assert str(path) in line and '--log-opt' in line
    assert podctl('container', 'exists', 'c1', check=False).code == 1
    assert 'hello' not in secret.read_text()
    remove_odd_file(kind, path)
    podctl('run', *words)
    assert podctl('logs', 'c1').stdout == 'hello\n'
    # swapped afterwards: reading is refused too
    path.unlink()
    make_odd_file(kind, secret, path)
    done = podctl('logs', 'c1', check=False, timeout=10)
    assert done.code == 125 and str(path) in done.stderr and 'secret' not in done.stdout
    remove_odd_file(kind, path)
    podctl('rm', 'c1')


def make_odd_file(kind, secret, path):
    if kind == 'symlink':
        path.symlink_to(secret)
    elif kind == 'fifo':
        os.mkfifo(path)
    elif kind == 'device':
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))
    elif kind == 'hardlink':
        os.link(secret, path)
    elif kind == 'directory':
        path.mkdir()
    else:
        path.write_text('')
        os.chown(path, 1000, 1000)


def remove_odd_file(kind, path):
    if kind == 'directory':
        path.rmdir()
    else:
        path.unlink()


@ours
def vuln_B7_07_no_abstract_sockets(podctl, started):
    started('sh', '-c', 'sleep 100', options=('-it',), name='c2')
    done = podctl('run', '--rm', '--network=host', 'localhost/test:latest', 'cat', '/proc/net/unix')
    names = [line.split()[7] for line in done.out.split('\n')[1:] if len(line.split()) > 7]
    assert not [name for name in names if name.startswith('@') and 'podctl' in name]
    pid = supervisor(podctl, 'c2')
    inodes = {fd[8:-1] for fd in descriptors(pid) if fd.startswith('socket:')}
    own = [line.split() for line in done.out.split('\n')[1:] if line.split()[6] in inodes]
    # known by a path, which the container does not have
    assert own and all(len(words) == 8 and words[7] == 'attach' for words in own), own


@ours
@pytest.mark.limit(200)
def vuln_B9_01_log_growth(podctl, started):
    limit = 100000
    started('sh', '-c', 'i=0; while [ $i -lt 20000 ]; do echo "this is line $i of the output"; i=$((i+1)); done; '
            'echo over; sleep 100', options=('--log-driver=k8s-file', '--log-opt', f'max-size={limit}'))
    path = podctl.inspect('c1')['HostConfig']['LogConfig']['Path']
    pid = supervisor(podctl, 'c1')
    count = len(os.listdir(f'/proc/{pid}/fd'))
    largest = 0
    end = time.monotonic() + 100
    while not tail(path).endswith(' over\n'):
        largest = max(largest, os.path.getsize(path))
        assert time.monotonic() < end
    assert largest <= limit
    numbers = [int(line.split()[3]) for line in podctl('logs', 'c1').stdout.split('\n')[:-2]]
    assert numbers == list(range(numbers[0], 20000)) and len(numbers) > 500
    assert len(os.listdir(f'/proc/{pid}/fd')) == count
    assert set(os.listdir(os.path.dirname(path))) <= {'ctr.log', 'upper', 'work'}


COUNT_SIGNALS = ('for s in HUP INT TERM QUIT USR1; do trap "echo $s" $s; done; echo ready; '
                 'while :; do sleep 0.02; done')


@ours
@pytest.mark.parametrize('what', ['key', 'hang-up', 'TERM to podctl', 'TERM to the supervisor'])
def vuln_B12_03_one_signal(podctl, image, what):
    """Whatever way it comes, exactly one signal arrives."""
    with at_terminal(podctl, 'run', '-it', '--name', 'c1', '--network=none', '--stop-timeout=1', image, 'sh', '-c',
                     COUNT_SIGNALS) as terminal:
        terminal.expect('ready')
        expected = {'key': 'INT', 'hang-up': 'HUP'}.get(what, 'TERM')
        if what == 'key':
            terminal.type('\x03')
        elif what == 'hang-up':
            terminal.hang_up()
        elif what == 'TERM to podctl':
            terminal.process.terminate()
        else:
            os.kill(supervisor(podctl, 'c1'), signal.SIGTERM)
        logs_have(podctl, 'c1', expected)
        time.sleep(0.3)
        lines = podctl('logs', 'c1').out.replace('\r', '').replace('^C', '').split('\n')
        assert lines[lines.index('ready') + 1:] == [expected], lines
    podctl('rm', '-f', '-t', '0', 'c1')


@ours
@pytest.mark.limit(200)
def vuln_B12_04_signals_to_the_supervisor(podctl, started):
    """Any signal but those that end a process for good leaves the container running and its status true."""
    started('sh', '-c', 'trap "exit 5" USR1; echo ready; while :; do sleep 0.05; done')
    logs_have(podctl, 'c1', 'ready')
    pid = supervisor(podctl, 'c1')
    deadly = {signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE,
              signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS, signal.SIGXCPU, signal.SIGVTALRM, signal.SIGPROF,
              signal.SIGPOLL, signal.SIGPWR, signal.SIGSTKFLT}
    harmless = [number for number in signal.valid_signals() if number not in deadly and number < 32]
    for i in range(1000000 if os.environ.get('PODCTL_TEST_FULL') else 50000):
        os.kill(pid, harmless[i % len(harmless)])
    assert podctl.running('c1') and supervisor(podctl, 'c1') == pid
    podctl('kill', '-s', 'USR1', 'c1')
    assert podctl('wait', 'c1').out == '5'


@ours
@pytest.mark.limit(280)
def vuln_B12_05_status_is_never_lost(podctl, image):
    """Programs that end at once, in the foreground, in the background and attached to."""
    count = 1000 if os.environ.get('PODCTL_TEST_FULL') else 60
    for i in range(count):
        status = i % 7
        name = f'c{i}'
        assert podctl('run', '--network=none', '--name', name, image, 'sh', '-c', f'exit {status}', check=False).code == status
        assert podctl.state(name)['ExitCode'] == status
        assert podctl('wait', name).out == str(status)
        podctl('start', name)
        done = podctl('attach', '--no-stdin', name, check=False)
        assert done.code == status or 'only attach to running' in done.stderr or 'ending' in done.stderr, done
        assert podctl('wait', name).out == str(status)
        podctl('rm', name)
        assert podctl('run', '--rm', '--network=none', image, 'sh', '-c', f'exit {status}', check=False).code == status
