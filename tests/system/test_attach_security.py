# SPDX-License-Identifier: LGPL-2.1-or-later
"""The supervisor's own walls, and what comes to it: security.md A17.3, A22, B1-09, B7, B9-01, B12-03 to B12-05."""
import os
import resource
import signal
import socket
import struct
import subprocess
import time

import pytest

from lib.attached import (at_terminal, attach_socket, attached, connect, descriptors, greet, logs_have, status_fields,
                          supervisor, tail)
from lib.command import IS_PODMAN, wait_for
from lib.terminal import Terminal

SANITIZED = bool(os.environ.get('PODCTL_TEST_SANITIZER_LOGS'))

ours = pytest.mark.skipif(IS_PODMAN, reason='about podctl\'s own programs')

# Answers every line with itself; "end N" ends it.
ECHO = 'echo ready; while read -r line; do case $line in end*) exit ${line#end };; esac; echo "got $line"; done; echo eof'


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
@pytest.mark.parametrize('script', ['head -c 268435456 /dev/zero', 'head -c 16777216 /dev/zero | tr "\\0" "\\n"'],
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
        assert int(peak) < (16384 if not SANITIZED else 131072)
    process.stdout.close()
    assert process.wait(10) == 0 and size in (268435456, 16777216)


@ours
@pytest.mark.limit(300)
def vuln_B7_02_cycles_leak_nothing(podctl, started):
    """Attach, resize and detach, many times; exec a few: the supervisor is as it was."""
    started('sh', '-c', 'while :; do sleep 1000; done', options=('-it',))
    pid = supervisor(podctl, 'c1')
    socket_path = attach_socket(podctl, 'c1')
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
    path = attach_socket(podctl, 'c1')
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


@ours
def test_a_client_that_reads_gets_everything(podctl, started):
    total = 32 << 20
    started('sh', '-c', f'read go; head -c {total} /dev/zero | tr "\\0" x', options=('-i', '--log-driver=none'))
    done = podctl('attach', 'c1', input='go\n')
    assert len(done.stdout) == total and done.stderr == ''


@ours
def test_no_descriptors_left(podctl, started):
    """A supervisor that may open no more waits quietly until somebody leaves."""
    started('sleep', '100')
    path = attach_socket(podctl, 'c1')
    pid = supervisor(podctl, 'c1')
    highest = max(map(int, os.listdir(f'/proc/{pid}/fd')))
    old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 6, old[1]))
    clients = []
    while True:
        client = connect(path)
        client.settimeout(0.5)
        client.send(struct.pack('=BBH', ord('H'), 1, 3))
        try:
            client.recv(100)
        except TimeoutError:
            client.close()
            break
        clients.append(client)
    assert 0 < len(clients) < 64
    waiting = [connect(path) for _ in range(12)]
    for client in waiting:
        client.send(struct.pack('=BBH', ord('H'), 1, 3))
    time.sleep(0.5)
    begun = cpu_ticks(pid)
    time.sleep(1)
    assert cpu_ticks(pid) - begun < 10
    for client in clients:
        client.close()
    assert waiting[0].recv(100)[:1] == b'W'
    for client in waiting:
        client.close()
    # what it becomes needs more
    resource.prlimit(pid, resource.RLIMIT_NOFILE, old)


def cpu_ticks(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii') as stream:
        return sum(map(int, stream.read().rsplit(')', 1)[1].split()[11:13]))


@ours
def vuln_B7_04_other_users(podctl, started):
    """The directory keeps others out; who gets in all the same is sent away."""
    started('sleep', '100')
    path = attach_socket(podctl, 'c1')
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
    assert 'PermissionError' not in done.stderr, done.stderr
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
    path = attach_socket(podctl, 'c1')
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
    assert set(os.listdir(os.path.dirname(path))) <= {'ctr.log', 'files', 'upper', 'work'}


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
