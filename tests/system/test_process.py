# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process of a container against the catalogue: capabilities, limits, descriptors, keyring, names,
environment, users, and that exec is no way around any of it. Named after the catalogue's rows."""
import json
import os
import re
import resource
import signal
import subprocess

import pytest

from lib import images
from lib.command import IS_PODMAN, wait_for
from lib.processes import DEFAULT, NONE, environment, make_image, running, shell  # noqa: F401 (fixtures)

pytestmark = pytest.mark.skipif(IS_PODMAN, reason='compared by test_security.py')


def caps(facts, kind):
    return int(facts[f'Cap{kind}'], 16)


def sec_A01_1(podctl, image):
    facts = podctl.facts(NONE)
    assert caps(facts, 'Bnd') == caps(facts, 'Prm') == caps(facts, 'Eff') == DEFAULT


def sec_A01_2(podctl, image):
    assert caps(podctl.facts(NONE), 'Inh') == caps(podctl.facts(NONE), 'Amb') == 0
    facts = podctl.facts(NONE, '--user', '1000', '--cap-add', 'net_raw')
    assert {caps(facts, kind) for kind in ('Eff', 'Prm', 'Inh', 'Amb')} == {1 << 13}
    assert caps(facts, 'Bnd') == DEFAULT | 1 << 13


def sec_A01_4(podctl, image):
    for name in ('net_raw', 'CAP_NET_RAW', 'Net_Raw'):
        assert caps(podctl.facts(NONE, '--cap-add', name), 'Eff') == DEFAULT | 1 << 13
    for options in (['--cap-add', 'frob'], ['--cap-add=all', '--cap-drop=all'],
                    ['--cap-add=chown', '--cap-drop=chown']):
        podctl.fails(125, 'run', '--rm', NONE, *options, image, 'true')


def sec_A01_5(podctl, image):
    with open('/proc/sys/kernel/cap_last_cap', encoding='ascii') as stream:
        last = int(stream.read())
    facts = podctl.facts(NONE, '--cap-add', 'all')
    assert caps(facts, 'Bnd') >> (last + 1) == 0


def sec_A01_6(podctl, make_image):
    name = make_image(Labels={'io.containers.capabilities': 'SYS_ADMIN,NET_ADMIN,CHOWN'})
    assert caps(podctl.facts(NONE, image=name), 'Bnd') & ~DEFAULT == 0


def sec_A01_7(podctl, running):
    running('--cap-drop', 'chown')
    assert caps(podctl.exec_facts('c1'), 'Bnd') == DEFAULT & ~1
    assert caps(podctl.exec_facts('c1', '--privileged'), 'Bnd') & ~own_bounding() == 0


def own_bounding():
    with open('/proc/self/status', encoding='ascii') as stream:
        return next(int(line.split()[1], 16) for line in stream if line.startswith('CapBnd'))


def sec_A01_8(podctl, running):
    running('--privileged')
    facts = podctl.exec_facts('c1')
    assert caps(facts, 'Bnd') == own_bounding() and facts['Seccomp'] == '0'
    assert podctl.inspect('c1')['HostConfig']['Privileged'] is True


# --- A03: no_new_privs ------------------------------------------------------------------------


def sec_A03_1(podctl, image):
    for option, wanted in (('no-new-privileges=false', '0'), ('no-new-privileges', '1')):
        facts = podctl.facts(NONE, '--security-opt', option, '--user', '1000')
        assert facts['NoNewPrivs'] == wanted


def sec_A03_2(podctl, running):
    running('--security-opt', 'no-new-privileges')
    assert podctl.exec_facts('c1')['NoNewPrivs'] == '1'
    assert podctl.exec_facts('c1', '--privileged')['NoNewPrivs'] == '1'


def sec_A03(podctl, make_image):
    """A setuid program gives root to a user, except with the option; also by exec."""
    name = make_image()
    prepare = 'cp /probe /suid; chmod 4755 /suid; exec /probe sleep'
    for options, wanted in (([], 0), (['--security-opt', 'no-new-privileges'], 1000)):
        podctl('run', '-d', '--name', 'c1', NONE, *options, name, 'sh', '-c', prepare)
        podctl.ready('c1')
        facts = json.loads(podctl('exec', '-u', '1000', 'c1', '/suid').stdout)
        assert facts['uids'][1] == wanted, options
        podctl('rm', '-f', '-t', '0', 'c1')


# --- A09: limits, umask, priorities -----------------------------------------------------------


def sec_A09_1(podctl, image):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 1048576 if own_bounding() >> 24 & 1 or hard >= 1048576 else hard
    assert podctl.facts(NONE)['rlimits']['nofile'] == [wanted, wanted]
    assert podctl.facts(NONE, '--ulimit', 'nofile=100:200')['rlimits']['nofile'] == [100, 200]
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    assert podctl.facts(NONE)['rlimits']['nproc'] == [soft, hard]


def sec_A09_1_host(podctl, image):
    def small():
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, 400))
    result = podctl('run', '--rm', NONE, '--ulimit', 'host', image, '/probe', preexec_fn=small)
    assert json.loads(result.stdout)['rlimits']['nofile'] == [300, 400]


def sec_A09_3(podctl, running):
    running('--oom-score-adj', '321')
    assert podctl.exec_facts('c1')['oom_score_adj'].strip() == '321'
    assert shell(podctl, 'cat /proc/1/oom_score_adj', '--oom-score-adj', '17').out == '17'


def sec_A09_surroundings(podctl, image):
    """Whatever podctl was started with, the result inside is the same."""
    plain = podctl.facts(NONE)

    def odd():
        os.umask(0)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
        os.sched_setaffinity(0, [next(iter(os.sched_getaffinity(0)))])
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    result = podctl('run', '--rm', NONE, image, '/probe', preexec_fn=odd)
    facts = json.loads(result.stdout)
    for key in ('umask', 'signals_blocked', 'signals_ignored', 'rlimits', 'uids', 'gids', 'groups'):
        assert facts[key] == plain[key], key


def sec_A09_5_affinity(podctl, image):
    wanted = shell(podctl, 'grep Cpus_allowed_list /proc/self/status').out
    one = next(iter(os.sched_getaffinity(0)))
    result = shell(podctl, 'grep Cpus_allowed_list /proc/self/status',
                   preexec_fn=lambda: os.sched_setaffinity(0, [one]))
    assert result.out == wanted


def sec_A09_5_personality(podctl, image):
    result = subprocess.run(['setarch', '--addr-no-randomize', *podctl.words('run', '--rm', NONE, image, 'cat',
                             '/proc/self/personality')], capture_output=True, text=True, timeout=30, check=True)
    assert int(result.stdout, 16) == 0


# --- A11: descriptors -------------------------------------------------------------------------


def leak_descriptors(count=200):
    """Descriptors that a careless caller left open, inherited."""
    paths = ['/', '/etc/shadow', '/etc', '/dev/null']
    for i in range(count):
        os.set_inheritable(os.open(paths[i % len(paths)], os.O_RDONLY), True)


def facts_with_leaks(podctl, *words):
    result = podctl(*words, preexec_fn=leak_descriptors, close_fds=False)
    return json.loads(result.stdout)


def sec_A11_1(podctl, image):
    facts = facts_with_leaks(podctl, 'run', '--rm', NONE, image, '/probe')
    assert sorted(facts['fds']) == ['0', '1', '2']


def sec_A11_3_init(podctl, image):
    facts = facts_with_leaks(podctl, 'run', '--rm', '--init', NONE, image, '/probe')
    assert sorted(facts['fds']) == ['0', '1', '2']
    listing = shell(podctl, 'ls /proc/1/fd', '--init').out
    assert listing == '', 'the init has none'


def sec_A11_5(podctl, image):
    for path in ('/proc/self/fd/7', '/proc/self/cwd/../../..', '/proc/1/root/../..'):
        result = podctl('run', '--rm', NONE, '-w', path, image, 'sh', '-c', 'ls /podctl-canary 2>&1; pwd', check=False)
        assert result.code != 0 or 'podctl-canary: No such' in result.stdout


def sec_A11_6(podctl, running):
    running()
    pid = podctl.pid('c1')
    links = [os.readlink(f'/proc/{pid}/fd/{fd}') for fd in os.listdir(f'/proc/{pid}/fd')]
    assert all(link == '/dev/null' or link.startswith('pipe:') for link in links), links


def vuln_B1_03(podctl, running):
    """Nothing that the caller left open is in a container, an exec or an init."""
    podctl_words = ('run', '-d', '--name', 'c2', NONE, 'localhost/test:latest', '/probe', 'sleep')
    podctl(*podctl_words, preexec_fn=leak_descriptors, close_fds=False)
    pid = podctl.pid('c2')
    assert sorted(os.listdir(f'/proc/{pid}/fd')) == ['0', '1', '2']
    facts = facts_with_leaks(podctl, 'exec', 'c2', '/probe')
    assert sorted(facts['fds']) == ['0', '1', '2']
    podctl('rm', '-f', '-t', '0', 'c2')


@pytest.mark.limit(300)
def vuln_B1_02(podctl, make_image):
    """No working directory, program or exec leads to the host through a descriptor."""
    script = 'test "$(stat -c %d:%i /proc/1/cwd/../../../../..)" = "$(stat -c %d:%i /)"'
    for number in (*range(0, 20), 63, 64):
        path = f'/proc/self/fd/{number}'
        result = podctl('run', '--rm', NONE, '-w', path, 'localhost/test:latest', 'sh', '-c', script, check=False)
        assert result.code != 0, path
        result = podctl('run', '--rm', NONE, 'localhost/test:latest', f'{path}/../../bin/true', check=False)
        assert result.code in (126, 127), path
    for path in ('/proc/self/cwd', '/proc/1/root', '/proc/self/fd/7/../../..'):
        result = podctl('run', '--rm', NONE, '-w', path, 'localhost/test:latest', 'sh', '-c', 'ls /canary', check=False)
        assert result.code != 0
    name = make_image(files={'escape': ('link', '/proc/self/fd/7')}, WorkingDir='/escape')
    assert podctl('run', '--rm', NONE, name, 'sh', '-c', script, check=False).code != 0
    podctl('run', '-d', '--name', 'c1', NONE, 'localhost/test:latest', '/probe', 'sleep')
    for number in (3, 4, 5, 7, 9):
        assert podctl('exec', '-w', f'/proc/self/fd/{number}', 'c1', 'true', check=False).code != 0
    podctl('rm', '-f', '-t', '0', 'c1')


def vuln_B1_09(podctl, running):
    """Without -t there is no terminal to push keys into."""
    script = '(: > /dev/tty) 2>&1; true'
    running()
    for words in (('run', '--rm', NONE, 'localhost/test:latest'), ('exec', 'c1')):
        assert 'No such device' in podctl(*words, 'sh', '-c', script).stdout


def vuln_B1_10(podctl, image):
    """kill(0) inside stays inside: a sleeper in the caller's group lives on."""
    sleeper = subprocess.Popen(['sleep', '60'])
    try:
        podctl('run', '--rm', NONE, image, 'sh', '-c', 'kill -KILL 0; kill -STOP 0', check=False)
        podctl('run', '-d', '--name', 'c1', NONE, image, '/probe', 'sleep')
        podctl('exec', 'c1', 'sh', '-c', 'kill -KILL 0', check=False)
        assert podctl.running('c1')
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()
        podctl('rm', '-f', '-i', '-t', '0', 'c1')


def vuln_B1_12(podctl, make_image):
    """An interpreter that is a descriptor or a path of the host, and a loader's variables."""
    name = make_image(files={'one': '#!/proc/self/fd/3\n', 'two': '#!/proc/1/root/nothing\n'},
                      Env=['LD_PRELOAD=/evil.so', 'LD_AUDIT=/evil.so', 'PATH=/bin'])
    for path in ('/one', '/two'):
        assert podctl('run', '--rm', NONE, name, path, check=False).code in (126, 127)
    podctl('run', '-d', '--name', 'c1', NONE, name, '/probe', 'sleep')
    supervisor = podctl.state('c1')['ConmonPid']
    with open(f'/proc/{supervisor}/environ', encoding='utf-8') as stream:
        assert 'evil' not in stream.read()
    podctl('rm', '-f', '-t', '0', 'c1')


# --- A12: keyring -----------------------------------------------------------------------------


def sec_A12_1(podctl, image):
    """add_key and keyctl are not allowed, and the session keyring is not the caller's."""
    for number in (248, 249, 250):
        assert podctl('run', '--rm', NONE, image, '/probe', 'syscall', number).out == 'errno 1'
    text = shell(podctl, 'cat /proc/keys', '--security-opt', 'seccomp=unconfined', '--security-opt', 'unmask=/proc/keys').out
    assert '_ses:' not in text


# --- A15: names and accounts ------------------------------------------------------------------


@pytest.mark.parametrize('name', ['a b', '-a', 'a..b', 'a' * 65, 'a\nb', 'a/b', 'é', ''])
def sec_A15_1(podctl, image, name):
    if not name:
        return
    assert podctl.fails(125, 'run', '--rm', NONE, '--hostname', name, image, 'true')


def sec_A15_1_host(podctl, image):
    podctl.fails(125, 'run', '--rm', NONE, '--hostname', 'x', '--uts=host', image, 'true')


def sec_A15_2(podctl, make_image):
    """A link of the image at the place of a generated file stays inside."""
    name = make_image(files={'etc/resolv.conf': ('link', '/run/systemd/resolve/stub.conf')})
    assert podctl('run', '--rm', NONE, name, 'sh', '-c', 'cat /etc/resolv.conf >/dev/null && echo fine').out == 'fine'
    assert not os.path.exists('/run/systemd/resolve/stub.conf')


def sec_A15_5(podctl, image):
    """A user without a name gets a line, the image keeps its file."""
    out = shell(podctl, 'cat /etc/passwd; id -un', '--user', '4321').stdout.split('\n')
    assert '4321:*:4321:0:container user:/:/bin/sh' in out and '4321' in out
    assert '4321' not in shell(podctl, 'cat /etc/passwd').stdout
    assert '4321' not in shell(podctl, 'cat /etc/passwd', '--user', '4321', '--passwd=false').stdout


def vuln_B4_06(podctl, make_image):
    """No value makes a line or field of its own in a generated file."""
    before = len(shell(podctl, 'cat /etc/passwd', '--user', '4321').out.split('\n'))
    for value in ('/a\nroot2:x:0:0::/:/bin/sh', '/a:b', '/a\rb', '/a\u2028b'):
        name = make_image(WorkingDir=value)
        result = podctl('run', '--rm', NONE, '--user', '4321', '-e', f'HOME={value}', name, 'cat', '/etc/passwd')
        lines = result.out.split('\n')
        assert len(lines) == before and all(line.count(':') == 6 for line in lines), result
    for words in (['--hostname', 'a\nb'], ['--passwd-entry', 'a:x:0:0:x:/:/bin/sh\nb:x:0:0:x:/:/bin/sh'],
                  ['--add-host', 'a\nb:1.2.3.4'], ['--dns-search', 'a\nb'], ['--name', 'a\nb']):
        podctl.fails(125, 'run', '--rm', NONE, *words, 'localhost/test:latest', 'true')


# --- A16: environment -------------------------------------------------------------------------


def sec_A16_1(podctl, image):
    env = {**os.environ, 'SECRET': 'canary'}
    facts = json.loads(podctl('run', '--rm', NONE, image, '/probe', env=env).stdout)
    assert sorted(environment(facts)) == ['HOME', 'HOSTNAME', 'PATH', 'container']


def vuln_B8_01(podctl, make_image):
    """A name alone in an image's environment does not ask for the caller's."""
    name = make_image(Env=['SECRET', '*', 'SEC*', '=x', 'A=', '', 'A B=c', 'D=1', 'D=2'])
    env = {**os.environ, 'SECRET': 'canary', 'SECRETS': 'canary'}
    podctl('run', '-d', '--name', 'c1', NONE, name, '/probe', 'sleep', env=env)
    text = json.dumps(podctl.inspect('c1')) + podctl('exec', 'c1', '/probe', env=env).stdout
    with open(f'/proc/{podctl.pid("c1")}/environ', encoding='utf-8') as stream:
        text += stream.read()
    assert 'canary' not in text
    podctl('rm', '-f', '-t', '0', 'c1')


def vuln_B8_09(podctl, make_image):
    """A stop signal that is none is refused, not guessed."""
    for value in ('9; rm', 'SIGRTMIN+99', 'x', '-1', '65'):
        name = make_image(StopSignal=value)
        podctl('run', '-d', '--name', 'c1', NONE, name, '/probe', 'sleep')
        assert podctl.inspect('c1')['Config']['StopSignal'] == 'SIGTERM', value
        podctl('rm', '-f', '-t', '0', 'c1')
    name = make_image(Healthcheck={'Test': ['CMD-SHELL', 'touch /podctl-canary'], 'Interval': 1})
    podctl('run', '--rm', NONE, name, 'true', check=False)
    assert not os.path.exists('/podctl-canary')


@pytest.mark.limit(300)
def vuln_B13_04(podctl, image):
    """Made at the same time, each has its own secret only."""
    count = 200 if os.environ.get('PODCTL_TEST_FULL') else 40
    makers = [podctl.start('run', '-d', '--name', f's{i}', NONE, '-e', f'SECRET=canary-{i}-', image, '/probe', 'sleep',
                           stdout=subprocess.DEVNULL, env={**os.environ, 'CANARY': 'caller-canary'})
              for i in range(count)]
    assert all(maker.wait(120) == 0 for maker in makers)
    for i in range(count):
        with open(f'/proc/{podctl.pid(f"s{i}")}/environ', encoding='utf-8') as stream:
            text = stream.read()
        assert f'SECRET=canary-{i}-' in text and text.count('canary') == 1
    for i in (0, count // 2, count - 1):
        assert set(re.findall(r'canary-\d+|caller-canary', podctl('inspect', f's{i}').stdout)) == {f'canary-{i}'}
    podctl('commit', '-q', 's0', 'localhost/one:1')
    assert set(re.findall('canary-[0-9]+', podctl('image', 'inspect', 'localhost/one:1').stdout)) <= {'canary-0'}
    podctl('image', 'rm', 'localhost/one:1')
    state = subprocess.run(['grep', '-rlI', 'caller-canary', '/run/podctl', '/var/lib/podctl'], capture_output=True, text=True,
                           check=False).stdout
    assert not state
    podctl('rm', '-f', '-t', '0', *[f's{i}' for i in range(count)])


def vuln_B13_05(podctl, image):
    """No value of the environment is on a command line."""
    process = podctl.start('run', '-d', '--name', 'c1', NONE, '-e', 'SECRET', image, '/probe', 'sleep',
                           stdout=subprocess.DEVNULL, env={**os.environ, 'SECRET': 'canary'})
    found = set()
    while process.poll() is None:
        for entry in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{entry}/cmdline', 'rb') as stream:
                    found.add(stream.read())
            except OSError:
                pass
    assert process.returncode == 0
    assert not [line for line in found if b'canary' in line]
    supervisor = podctl.state('c1')['ConmonPid']
    with open(f'/proc/{supervisor}/environ', 'rb') as stream:
        assert b'canary' not in stream.read()
    podctl('rm', '-f', '-t', '0', 'c1')


# --- A17: process model -----------------------------------------------------------------------


def sec_A17_1(podctl, running):
    running()
    facts = podctl.exec_facts('c1')
    assert facts['sid'] == facts['pid'] == facts['pgid']
    facts = podctl.facts(NONE)
    assert facts['sid'] == facts['pid'] == facts['pgid'] == 1


def sec_A17_3(podctl, running):
    running()
    supervisor = podctl.state('c1')['ConmonPid']
    assert os.getsid(supervisor) == supervisor and os.readlink(f'/proc/{supervisor}/cwd') == '/'
    assert {os.readlink(f'/proc/{supervisor}/fd/{fd}') for fd in (0, 1)} == {'/dev/null'}


def sec_A17_4(podctl, running):
    """A signal goes by pidfd: an end is an error, never somebody else's signal."""
    running(command=('true',))
    wait_for(lambda: not podctl.running('c1'))
    podctl.fails(125, 'kill', 'c1')


def sec_A17_5(podctl, running):
    """Two starts, one winner."""
    running()
    podctl('stop', '-t', '0', 'c1')
    starts = [podctl.start('start', 'c1', stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(4)]
    assert all(start.wait(30) == 0 for start in starts)
    pids = subprocess.run(['pgrep', '-fc', '^/probe sleep'], capture_output=True, text=True, check=False).stdout.strip()
    assert pids == '1'


# --- A18: own binary, --init ------------------------------------------------------------------


def sec_A18_3(podctl, image):
    """The init is no file of the container and cannot be written through /proc."""
    script = 'readlink /proc/1/exe; cat /proc/1/comm; (: > /proc/1/exe) 2>&1; ls /run'
    result = shell(podctl, script, '--init')
    lines = result.out.split('\n')
    assert lines[1] == 'podctl-init'
    assert 'Read-only' in result.out or 'Text file busy' in result.out or 'denied' in result.out
    assert 'podctl-init' not in lines[2:]


def vuln_B4_01(podctl, running):
    for options in ([], ['--user', '1000'], ['--cap-add', 'net_raw']):
        facts = podctl.facts(NONE, *options)
        assert caps(facts, 'Inh') == 0, options
    running()
    for options in ([], ['-u', '1000']):
        assert caps(podctl.exec_facts('c1', *options), 'Inh') == 0


def vuln_B4_02(podctl, make_image):
    name = make_image(User='1000')
    for options, image in (((NONE, '--user', '1000'), 'localhost/test:latest'), ((NONE,), name),
                           ((NONE, '--privileged', '--user', '1000'), 'localhost/test:latest')):
        facts = podctl.facts(*options, image=image)
        assert caps(facts, 'Eff') == caps(facts, 'Prm') == 0
    script = 'umask 077; echo x > /secret; exec /probe sleep'
    podctl('run', '-d', '--name', 'c1', NONE, '--privileged', 'localhost/test:latest', 'sh', '-c', script)
    podctl.ready('c1')
    for options in ([], ['--privileged']):
        assert 'denied' in podctl('exec', *options, '-u', '1000', 'c1', 'cat', '/secret', check=False).stderr, options
    podctl('rm', '-f', '-t', '0', 'c1')


@pytest.mark.parametrize('user', ['1000', 'user', '1000:2000', 'user:extra', ':2000', '1000:extra', 'user:1000'])
def vuln_B4_03(podctl, make_image, running, user):
    """The primary group is among the groups, whichever way the user was named."""
    for facts in (podctl.facts(NONE, '--user', user), podctl.facts(NONE, image=make_image(User=user)),
                  podctl.facts(NONE, '--user', user, '--group-add', '3000'),
                  podctl.facts(NONE, '--user', user, '--group-add', 'keep-groups')):
        assert facts['gids'][0] in facts['groups']
    running()
    facts = podctl.exec_facts('c1', '-u', user)
    assert facts['gids'][0] in facts['groups']


# text: uid, or None: refused
USERS = {'0': 0, '1': 1, '65535': 65535, '65536': 65536, '2147483647': 2147483647, '2147483648': 2147483648,
         '4294967294': 4294967294, '4294967295': None, '4294967296': None, '18446744073709551616': None,
         '18446744073709551617': None, '99999999999999999999': None, '-1': None, '+1': None, ' 1': None, '1 ': None,
         '0x0': None, '1e3': None, '00': 0, '01000': 1000, ' 7': None, '1000 ': None}


TRAPS = ['1000', '0x0', '4294967296', '99999999999999999999', '-1', '+1', '1e3', ' 7', '1000 ', ' 1', '1 ', '4294967295']
@pytest.fixture(scope='module')
def trap_image(session_podctl, image, rootfs_tar, tmp_path_factory):
    """Its passwd and group give root to whoever is looked up as a name."""
    path = tmp_path_factory.mktemp('trap') / 'trap.tar'
    passwd = 'root:x:0:0:root:/root:/bin/sh\n' + ''.join(f'{name}:x:0:0:trap:/:/bin/sh\n' for name in TRAPS)
    group = 'root:x:0:\n' + ''.join(f'{name}:x:0:\n' for name in TRAPS)
    with open(rootfs_tar, 'rb') as stream:
        layers = [stream.read(), images.layer({'etc/passwd': passwd, 'etc/group': group})]
    images.docker_archive(path, 'localhost/trap:1', layers)
    session_podctl('image', 'load', '-i', path)
    yield 'localhost/trap:1'
    session_podctl('image', 'rm', '-f', 'localhost/trap:1')


def check_user(podctl, words, text, wanted, which):
    result = podctl(*words, check=False)
    if wanted is None:
        assert result.code in (125, 126) and len(result.stderr.strip().split('\n')) == 1, (text, result)
    else:
        assert json.loads(result.stdout)[which][0] == wanted, (text, result)


@pytest.mark.parametrize('text', USERS)
def vuln_B4_04(podctl, trap_image, text):
    wanted = USERS[text]
    check_user(podctl, ('run', '--rm', NONE, f'--user={text}', trap_image, '/probe'), text, wanted, 'uids')
    check_user(podctl, ('run', '--rm', NONE, f'--user=0:{text}', trap_image, '/probe'), text, wanted, 'gids')


@pytest.mark.parametrize('text', USERS)
def vuln_B4_05(podctl, trap_image, text):
    wanted = USERS[text]
    podctl('run', '-d', '--name', 'c1', NONE, trap_image, '/probe', 'sleep')
    try:
        check_user(podctl, ('exec', f'--user={text}', 'c1', '/probe'), text, wanted, 'uids')
        check_user(podctl, ('exec', f'--user=0:{text}', 'c1', '/probe'), text, wanted, 'gids')
        if wanted is None:
            podctl.fails(125, 'create', '--name', 'c2', NONE, f'--user={text}', trap_image, 'true')
    finally:
        podctl('rm', '-f', '-t', '0', 'c1')


@pytest.mark.parametrize('text', ['0x0', '4294967296', '-1', '+1', ' 7', '1000'])
def vuln_B4_05_image(podctl, make_image, text):
    name = make_image(files={'etc/passwd': f'root:x:0:0::/:/bin/sh\n{text}:x:0:0::/:/bin/sh\n'}, User=text)
    check_user(podctl, ('run', '--rm', NONE, name, '/probe'), text, 1000 if text == '1000' else None, 'uids')


SAME = ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp', 'uids', 'gids', 'groups', 'umask',
        'rlimits', 'oom_score_adj', 'cgroup', 'namespaces', 'hostname', 'cwd', 'uid_map')
@pytest.mark.parametrize('options', [
    [], ['--ulimit', 'nofile=99:99', '--oom-score-adj=200', '--cap-drop=chown'],
    ['--user', '1000:2000', '--group-add', '3000', '--umask', '0077', '--security-opt', 'no-new-privileges'],
    ['--cap-add', 'net_raw', '--user', '1000', '--personality', 'LINUX32', '-w', '/tmp'],
])
def vuln_B4_10(podctl, running, tmp_path, options):
    """exec is the container's own process in everything but its pid."""
    tmp_path.chmod(0o777)
    running(*options, '-v', f'{tmp_path}:/out', command=('sh', '-c', '/probe > /out/facts; exec /probe sleep'))
    podctl.ready('c1')
    first = json.loads((tmp_path / 'facts').read_text() or '{}') if (tmp_path / 'facts').exists() else None
    if first is None:
        pytest.fail('the container wrote nothing')
    second = podctl.exec_facts('c1')
    for key in SAME:
        assert first[key] == second[key], key
    shells_own = {'PWD', 'SHLVL', 'OLDPWD', '_'}
    assert {*first['env']} - {*second['env']} <= {item for item in first['env'] if item.split('=')[0] in shells_own}
    assert not {*second['env']} - {*first['env']}


def sec_A11_4(podctl, image):
    """What is executed is a file of the container: no directory, no fifo, no descriptor."""
    for path in ('/etc', '/dev/null', '/proc/self/fd/3', '/proc/1/exe/x'):
        assert podctl('run', '--rm', NONE, image, path, check=False).code in (126, 127), path


def sec_A15_3(podctl, image):
    for options in (['--add-host', 'a b:192.0.2.1'], ['--dns-option', 'a\nb'], ['--dns', '1.2.3.4\nx'],
                    ['--add-host', 'x:192.0.2.1#'], ['--dns-search', 'a b']):
        podctl.fails(125, 'create', NONE, *options, image, 'true')
    out = shell(podctl, 'cat /etc/hosts', '--add-host', 'x:::ffff:192.0.2.1').stdout
    assert any(line.endswith('\tx') for line in out.split('\n'))


def sec_A16_2(podctl, make_image):
    name = make_image(Env=['GOOD=1', 'BAD', '*', 'B*=2', '=3'])
    found = environment(podctl.facts(NONE, image=name))
    assert found['GOOD'] == '1' and not {'BAD', '*', 'B*', ''} & set(found)


def sec_A16_3(podctl, make_image):
    """podctl's own processes beside a container have a fixed environment."""
    name = make_image(Env=['LD_PRELOAD=/evil.so', 'GCONV_PATH=/evil', 'BASH_ENV=/evil'])
    podctl('run', '-d', '--name', 'c1', NONE, name, '/probe', 'sleep', env={**os.environ, 'CANARY': 'evil'})
    with open(f'/proc/{podctl.state("c1")["ConmonPid"]}/environ', encoding='utf-8') as stream:
        names = {item.split('=')[0] for item in stream.read().split('\0') if item}
    podctl('rm', '-f', '-t', '0', 'c1')
    assert names <= {'PATH', 'PODCTL_LIBDIR', 'PODCTL_DATADIR'}
