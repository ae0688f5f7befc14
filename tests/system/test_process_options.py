# SPDX-License-Identifier: LGPL-2.1-or-later
"""Options about the process of a container: init, descriptors, accounts, environment, generated files,
systemd mode, init containers."""
import json
import os
import socket
import subprocess
import time

import pytest

from lib.command import IS_PODMAN, wait_for
from lib.processes import NONE, environment, make_image, running, shell  # noqa: F401 (fixtures)

pytestmark = pytest.mark.skipif(IS_PODMAN, reason='compared by test_security.py')


def test_passwd_and_group_entries(podctl, image):
    out = shell(podctl, 'cat /etc/passwd /etc/group', '--user', '4321:8765', '--passwd-entry',
                'me:x:$UID:$GID:$NAME:$HOME:/bin/ash', '--group-entry', 'us:x:$GID:$USERLIST').stdout.split('\n')
    assert 'me:x:4321:8765:container user:/:/bin/ash' in out
    assert 'us:x:8765:4321' in out
    out = shell(podctl, 'cat /etc/group', '--user', '4321:8765').stdout.split('\n')
    assert '8765:x:8765:4321' in out


def test_hostuser(podctl, image):
    out = shell(podctl, 'cat /etc/passwd', '--hostuser', 'daemon').stdout
    assert '\ndaemon:*:1:1:' in out
    assert 'nobodyhere' in podctl.fails(125, 'create', '--name', 'no', '--hostuser', 'nobodyhere', image, 'true')


def test_env_forms(podctl, image):
    env = {**os.environ, 'PASSED': '1', 'ALL_A': '2', 'ALL_B': '3'}
    facts = json.loads(podctl('run', '--rm', NONE, '-e', 'PASSED', '-e', 'ALL_*', '-e', 'NOT_THERE', '-e', 'EMPTY=',
                              image, '/probe', env=env).stdout)
    found = environment(facts)
    assert (found['PASSED'], found['ALL_A'], found['ALL_B'], found['EMPTY']) == ('1', '2', '3', '')
    assert 'NOT_THERE' not in found


def test_env_host_and_proxies(podctl, make_image):
    name = make_image(Env=['FROM=image', 'PATH=/bin:/image'])
    env = {**os.environ, 'FROM': 'host', 'OWN': 'host', 'http_proxy': 'p1', 'NO_PROXY': 'p2'}
    found = environment(json.loads(podctl('run', '--rm', NONE, '--env-host', name, '/probe', env=env).stdout))
    assert (found['FROM'], found['OWN'], found['PATH']) == ('image', 'host', '/bin:/image')
    found = environment(json.loads(podctl('run', '--rm', NONE, name, '/probe', env=env).stdout))
    assert (found['http_proxy'], found['NO_PROXY']) == ('p1', 'p2') and 'OWN' not in found
    found = environment(json.loads(podctl('run', '--rm', NONE, '--http-proxy=false', name, '/probe', env=env).stdout))
    assert 'http_proxy' not in found and 'NO_PROXY' not in found


def test_env_merge_and_unset(podctl, make_image):
    name = make_image(Env=['BASE=one', 'GONE=x'])
    found = environment(podctl.facts(NONE, '--env-merge', 'BASE=${BASE}-two-${NOTHING}', '--unsetenv', 'GONE', image=name))
    assert found['BASE'] == 'one-two-' and 'GONE' not in found
    found = environment(podctl.facts(NONE, '--unsetenv-all', '-e', 'X=1', image=name))
    assert 'BASE' not in found and 'PATH' not in found and found['X'] == '1'


def test_init_reaps_forwards_and_ends_as_the_program(podctl, image):
    assert podctl('run', '--rm', '--init', NONE, image, '/probe', 'exit', '7', check=False).code == 7
    assert podctl('run', '--rm', '--init', NONE, image, '/probe', 'kill', '9', check=False).code == 137
    assert podctl('run', '--rm', '--init', NONE, image, 'nosuchword', check=False).code == 127
    # the shell's own children are none of init's; what it reaps is gone after a moment
    script = ('(sleep 0.1 &) ; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.3; left=; for p in /proc/[0-9]*; do '
              'grep -qs "State:.Z" $p/status && left=$p; done; [ -z "$left" ] && break; done; echo "$left"')
    assert shell(podctl, script, '--init').out == ''
    facts = podctl.facts('--init', NONE)
    assert facts['pid'] != 1 and facts['ppid'] == 1


def test_init_passes_the_stop_signal_on(podctl, running):
    running('--init')
    time.sleep(0.3)
    start = time.monotonic()
    podctl('stop', '-t', '8', 'c1')
    assert time.monotonic() - start < 5
    assert podctl.state('c1')['ExitCode'] == 0


def test_init_path(podctl, image, tmp_path):
    path = tmp_path / 'init'
    path.write_text('#!/bin/sh\necho "init: $*"\nshift\nexec "$@"\n')
    path.chmod(0o755)
    result = podctl('run', '--rm', '--init', '--init-path', path, NONE, image, 'echo', 'hi')
    assert result.out == 'init: -- echo hi\nhi'
    path.chmod(0o777)
    assert str(path) in podctl.fails(125, 'create', '--init', '--init-path', path, image, 'true')


# --- B4: identity -----------------------------------------------------------------------------


def test_personality(podctl, running):
    running('--personality', 'LINUX32')
    assert podctl('exec', 'c1', 'uname', '-m').out in ('i686', 'armv8l')


# --- descriptors that are wanted --------------------------------------------------------------


def with_pipes(numbers):
    def prepare():
        for number in numbers:
            read_end, _ = os.pipe()
            os.dup2(read_end, 100 + number)
        for number in numbers:
            os.dup2(100 + number, number)
            os.set_inheritable(number, True)
            os.close(100 + number)
    return prepare


def test_preserve_fds(podctl, running):
    words = ('run', '--rm', NONE, '--preserve-fds', '2', 'localhost/test:latest', '/probe')
    facts = json.loads(podctl(*words, preexec_fn=with_pipes([3, 4, 5]), close_fds=False).stdout)
    assert sorted(facts['fds']) == ['0', '1', '2', '3', '4']
    assert facts['fds']['3'].startswith('pipe:')
    running()
    words = ('exec', '--preserve-fd', '4,9', 'c1', '/probe')
    facts = json.loads(podctl(*words, preexec_fn=with_pipes([3, 4, 9]), close_fds=False).stdout)
    assert sorted(facts['fds']) == ['0', '1', '2', '4', '9']


def test_preserve_fds_with_init(podctl, image):
    words = ('run', '--rm', NONE, '--init', '--preserve-fds', '1', image, '/probe')
    facts = json.loads(podctl(*words, preexec_fn=with_pipes([3]), close_fds=False).stdout)
    assert sorted(facts['fds']) == ['0', '1', '2', '3']


def test_preserve_fds_that_are_not_open(podctl, image):
    assert '3' in podctl.fails(125, 'run', '--name', 'no', NONE, '--preserve-fds', '1', image, 'true')
    assert podctl('container', 'exists', 'no', check=False).code == 1


@pytest.mark.parametrize('options', [[], ['--init'], ['-d']])
def test_socket_activation(podctl, image, options):
    """What systemd opened reaches the program, with a LISTEN_PID that is its own."""
    script = 'echo $$ $LISTEN_PID $LISTEN_FDS $LISTEN_FDNAMES; ls /proc/self/fd | wc -l'
    shell_words = podctl.words('run', '--name', 'c1', NONE, *options, image, 'sh', '-c', script)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind('/tmp/podctl-test-socket')
    listener.listen()
    try:
        done = subprocess.run(['sh', '-c', 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@"', 'sh', *shell_words],
                              preexec_fn=lambda: os.dup2(listener.fileno(), 3), close_fds=False, capture_output=True,
                              text=True, timeout=30, check=True)
        text = done.stdout
        if options == ['-d']:
            podctl('wait', 'c1')
            text = podctl('logs', 'c1').stdout
        words = text.split('\n')[0].split()
        assert words[0] == words[1] and words[2:] == ['1', 'web'], text
    finally:
        listener.close()
        os.unlink('/tmp/podctl-test-socket')
        podctl('rm', '-f', '-t', '0', 'c1')


# --- files and places -------------------------------------------------------------------------


def test_timezone(podctl, image):
    if not os.path.exists('/usr/share/zoneinfo/Asia/Tokyo'):
        pytest.skip('no zones on this machine')
    assert shell(podctl, 'date +%Z', '--tz', 'Asia/Tokyo').out == 'JST'
    with open(os.path.realpath('/etc/localtime'), 'rb') as stream:
        local = stream.read()
    assert shell(podctl, 'cat /etc/localtime | wc -c', '--tz', 'local').out == str(len(local))
    assert 'Nowhere/At_all' in podctl.fails(125, 'run', '--rm', NONE, '--tz', 'Nowhere/At_all', image, 'true')
    for bad in ('../../../etc/shadow', '/etc/shadow', 'a//b'):
        assert bad in podctl.fails(125, 'create', '--tz', bad, image, 'true')


def test_hosts_file(podctl, make_image, tmp_path):
    path = tmp_path / 'hosts'
    path.write_text('192.0.2.7 fromfile # note\nnonsense\n192.0.2.8\tbad;name good\n')
    out = shell(podctl, 'cat /etc/hosts', '--hosts-file', path).stdout
    assert '192.0.2.7\tfromfile\n' in out and 'nonsense' not in out and '192.0.2.8\tgood\n' in out
    name = make_image(files={'etc/hosts': '192.0.2.9 fromimage\n'})
    assert 'fromimage' in shell(podctl, 'cat /etc/hosts', '--hosts-file', 'image', image=name).stdout
    assert 'fromimage' not in shell(podctl, 'cat /etc/hosts', '--hosts-file', 'none', image=name).stdout


def test_no_hostname(podctl, make_image):
    name = make_image(files={'etc/hostname': 'of-the-image\n'})
    assert shell(podctl, 'cat /etc/hostname', '--no-hostname', image=name).out == 'of-the-image'


def test_chrootdirs(podctl, image):
    assert shell(podctl, 'cat /jail/etc/hostname', '--hostname', 'here', '--chrootdirs', '/jail').out == 'here'


def test_cidfile_goes_with_the_container(podctl, image, tmp_path):
    path = tmp_path / 'cid'
    podctl('create', '--name', 'c1', NONE, '--cidfile', path, image, '/probe', 'sleep')
    assert len(path.read_text()) == 64
    assert str(path) in podctl.fails(125, 'create', '--cidfile', path, image, 'true')
    podctl('start', 'c1')
    assert podctl('exec', '--cidfile', path, 'true').code == 0
    podctl('rm', '-f', '-t', '0', 'c1')
    assert not path.exists()
    podctl('run', '--rm', NONE, '--cidfile', path, image, 'true')
    assert not path.exists()


def test_rmi(podctl, make_image):
    name = make_image()
    podctl('run', '--rmi', NONE, name, 'true')
    assert podctl('image', 'exists', name, check=False).code == 1


def test_requires(podctl, image):
    podctl('create', '--name', 'first', NONE, image, '/probe', 'sleep')
    podctl('run', '-d', '--name', 'second', NONE, '--requires', 'first', image, '/probe', 'sleep')
    assert podctl.running('first')
    podctl('rm', '-f', '-t', '0', 'first', 'second')
    assert 'nobody' in podctl.fails(125, 'create', '--name', 'no', '--requires', 'nobody', image, 'true')


def test_timeout(podctl, image):
    start = time.monotonic()
    assert podctl('run', '--rm', NONE, '--timeout', '1', image, '/probe', 'stubborn', check=False).code == 137
    assert time.monotonic() - start < 10


def test_exec_waits_for_the_container(podctl, image):
    podctl('create', '--name', 'c1', NONE, image, '/probe', 'sleep')
    late = podctl.start('exec', '--wait', '20', 'c1', 'echo', 'here', stdout=subprocess.PIPE, text=True)
    time.sleep(0.2)
    podctl('start', 'c1')
    assert late.communicate(timeout=30)[0].strip() == 'here'
    podctl('stop', '-t', '0', 'c1')
    assert 'after 1 seconds' in podctl.fails(125, 'exec', '--wait', '1', 'c1', 'true')
    podctl('rm', 'c1')


def test_pod_label_file(podctl, tmp_path):
    path = tmp_path / 'labels'
    path.write_text('one=1\n')
    podctl('pod', 'create', '--name', 'p1', '--label-file', path)
    assert podctl.pod_inspect('p1')['Labels'] == {'one': '1'}
    podctl('pod', 'rm', 'p1')


def test_init_containers(podctl, image, tmp_path):
    """In order and to their ends before the others; "once" is gone then."""
    podctl('pod', 'create', '--name', 'p1', '--network=none', '--exit-policy=stop')
    volume = f'{tmp_path}:/out'
    for kind, name in (('once', 'i1'), ('always', 'i2')):
        podctl('create', '--pod', 'p1', '--init-ctr', kind, '--name', name, '-v', volume, image, 'sh', '-c',
               f'sleep 0.2; echo {name} >> /out/order')
    podctl('create', '--pod', 'p1', '--name', 'm1', '-v', volume, image, 'sh', '-c', 'echo m1 >> /out/order; sleep 60')
    podctl('pod', 'start', 'p1')
    wait_for(lambda: (tmp_path / 'order').read_text().split() == ['i1', 'i2', 'm1'])
    assert podctl('container', 'exists', 'i1', check=False).code == 1
    podctl.fails(125, 'create', '--pod', 'p1', '--init-ctr=always', image, 'true')
    podctl('pod', 'stop', '-t', '0', 'p1')
    podctl('pod', 'start', 'p1')
    wait_for(lambda: (tmp_path / 'order').read_text().split() == ['i1', 'i2', 'm1', 'i2', 'm1'])
    podctl('pod', 'rm', '-f', '-t', '0', 'p1')


def test_init_container_that_fails(podctl, image):
    podctl('pod', 'create', '--name', 'p1', '--network=none')
    podctl('create', '--pod', 'p1', '--init-ctr', 'always', '--name', 'i1', image, '/probe', 'exit', '3')
    podctl('create', '--pod', 'p1', '--name', 'm1', image, '/probe', 'sleep')
    text = podctl('pod', 'start', 'p1', check=False)
    assert text.code != 0 and 'i1' in text.stderr and 'status 3' in text.stderr
    assert not podctl.running('m1')
    podctl('pod', 'rm', '-f', '-t', '0', 'p1')


# --- systemd mode -----------------------------------------------------------------------------


def tmpfs_places(facts):
    return {line.split()[4] for line in facts['mountinfo'].split('\n') if ' - tmpfs ' in line}


def test_systemd_mode(podctl, make_image):
    places = {'/run', '/run/lock', '/tmp', '/var/log/journal'}
    facts = podctl.facts(NONE, '--systemd=always')
    assert places <= tmpfs_places(facts)
    assert 'container_uuid' in environment(facts)
    assert not places & tmpfs_places(podctl.facts(NONE))
    name = make_image(files={'sbin/init': ('link', '/probe')})
    facts = json.loads(podctl('run', '--rm', NONE, name, '/sbin/init').stdout)
    assert places <= tmpfs_places(facts)
    facts = json.loads(podctl('run', '--rm', NONE, '--systemd=false', name, '/sbin/init').stdout)
    assert not places & tmpfs_places(facts)


def test_systemd_mode_stop_signal(podctl, image):
    podctl('run', '-d', '--name', 'c1', NONE, '--systemd=always', image, '/probe', 'sleep')
    assert podctl.inspect('c1')['Config']['StopSignal'] == 'SIGRTMIN+3'
    podctl('rm', '-f', '-t', '0', 'c1')


# --- security options -------------------------------------------------------------------------


def test_proc_opts(podctl, image):
    out = shell(podctl, 'grep " /proc " /proc/self/mountinfo', '--security-opt', 'proc-opts=hidepid=2').out
    assert 'hidepid=' in out
    out = shell(podctl, 'ls /proc | grep -c "^sys$"', '--security-opt', 'proc-opts=subset=pid', check=False).out
    assert out == '0'
    for bad in ('proc-opts=', 'proc-opts=frob', 'proc-opts=hidepid=9'):
        podctl.fails(125, 'create', '--security-opt', bad, image, 'true')


def test_labels_and_profiles_that_the_kernel_has_not(podctl, image):
    podctl('run', '--rm', NONE, '--security-opt', 'label=disable', image, 'true')
    if not os.path.exists('/sys/fs/selinux/enforce'):
        for value in ('type:x_t', 'level:s0', 'user:u', 'role:r', 'filetype:f', 'nested'):
            text = podctl.fails(125, 'create', '--name', 'no', '--security-opt', f'label={value}', image, 'true')
            assert 'SELinux' in text and value in text
    podctl.fails(125, 'create', '--security-opt', 'label=frob', image, 'true')
    if not os.path.exists('/sys/module/apparmor'):
        assert 'AppArmor' in podctl.fails(125, 'create', '--security-opt', 'apparmor=x', image, 'true')


def test_seccomp_profile_is_tried_first(podctl, image, tmp_path):
    path = tmp_path / 'p.json'
    for text in ('', '{', '[]', '{"defaultAction": "SCMP_ACT_FROB"}'):
        path.write_text(text)
        podctl.fails(125, 'create', '--name', 'no', NONE, '--security-opt', f'seccomp={path}', image, 'true')
    podctl.fails(125, 'create', '--name', 'no', NONE, '--security-opt', f'seccomp={tmp_path}/gone', image, 'true')
    assert podctl('container', 'exists', 'no', check=False).code == 1


@pytest.mark.parametrize('options', [['--systemd=always'], ['--security-opt', 'unmask=/sys/fs/cgroup'],
                                     ['--security-opt', 'unmask=ALL']])
def test_own_cgroup_is_writable_where_it_is_asked_for(podctl, image, options):
    script = 'grep " /sys/fs/cgroup " /proc/mounts; mkdir /sys/fs/cgroup/inner && cat /proc/self/cgroup'
    result = shell(podctl, script, *options)
    assert 'cgroup2 rw,' in result.stdout and result.out.endswith('0::/'), 'its own, not the caller\'s'
    result = shell(podctl, script, check=False)
    assert 'cgroup2 ro,' in result.stdout and result.code != 0


@pytest.mark.parametrize('options', [['--userns=auto'], ['--read-only', '--init'],
                                     ['--uidmap', '0:100000:65536', '--gidmap', '0:100000:65536', '--init']])
def test_accounts_with_other_options(podctl, image, options):
    out = shell(podctl, 'id; cat /etc/passwd', '--user', '4321', *options).stdout
    assert 'uid=4321(4321)' in out and '4321:*:4321:0:container user:/:/bin/sh' in out


@pytest.mark.parametrize('options', [
    ['--init', '--systemd=always'], ['--init', '--pid=host'], ['--init-path', '/bin/true'], ['--init-ctr=once'],
    ['--passwd=false', '--passwd-entry', 'a:x:1:1:a:/:/bin/sh'], ['--passwd=false', '--hostuser', 'root'],
    ['--group-add', 'keep-groups', '--group-add', '1'], ['--preserve-fds', '1', '--preserve-fd', '3'],
    ['--no-hosts', '--hosts-file', 'none'], ['--preserve-fds', '1'],
])
def test_what_cannot_go_together(podctl, image, options):
    podctl.fails(125, 'create', '--name', 'no', NONE, *options, image, 'true')
    assert podctl('container', 'exists', 'no', check=False).code == 1
