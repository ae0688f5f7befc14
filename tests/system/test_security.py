# SPDX-License-Identifier: LGPL-2.1-or-later
"""The hardening of a default container, as the probe sees it. Names are the rows of the catalogue."""
import json
import os
import resource
import subprocess

import pytest

from lib.command import IS_PODMAN

# CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT SETFCAP
DEFAULT = sum(1 << bit for bit in (0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 31))
NET_ADMIN, NET_RAW, MKNOD, CHOWN, SYS_PTRACE = 12, 13, 27, 0, 19
ours = pytest.mark.skipif(IS_PODMAN, reason='podctl is stricter here')
ENOSYS, EPERM = 38, 1


def caps(facts, kind):
    return int(facts[f'Cap{kind}'], 16)


def shell(podctl, script, *options, check=True, image='localhost/test:latest'):
    return podctl('run', '--rm', '--network=none', *options, image, 'sh', '-c', script, check=check)


def sec_A01_1_default_capabilities(podctl, image):
    facts = podctl.facts('--network=none')
    assert caps(facts, 'Bnd') == caps(facts, 'Prm') == caps(facts, 'Eff') == DEFAULT


def sec_A01_2_inheritable_and_ambient_are_empty(podctl, image):
    facts = podctl.facts('--network=none')
    assert caps(facts, 'Inh') == caps(facts, 'Amb') == 0


def sec_A01_2_user_has_none(podctl, image):
    facts = podctl.facts('--network=none', '--user', '1000')
    assert caps(facts, 'Eff') == caps(facts, 'Prm') == caps(facts, 'Inh') == caps(facts, 'Amb') == 0
    assert caps(facts, 'Bnd') == DEFAULT


def sec_A01_2_user_has_what_was_added(podctl, image):
    facts = podctl.facts('--network=none', '--user', '1000', '--cap-add', 'NET_RAW')
    for kind in ('Eff', 'Prm', 'Inh', 'Amb'):
        assert caps(facts, kind) == 1 << NET_RAW, kind
    assert caps(facts, 'Bnd') == DEFAULT | 1 << NET_RAW


@pytest.mark.parametrize('name', ['NET_ADMIN', 'cap_net_admin', 'CAP_NET_ADMIN', 'net_admin'])
def sec_A01_4_names(podctl, image, name):
    assert caps(podctl.facts('--network=none', '--cap-add', name), 'Eff') == DEFAULT | 1 << NET_ADMIN


def sec_A01_4_drop(podctl, image):
    assert caps(podctl.facts('--network=none', '--cap-drop', 'chown'), 'Eff') == DEFAULT & ~(1 << CHOWN)
    facts = podctl.facts('--network=none', '--cap-drop', 'ALL')
    assert [caps(facts, kind) for kind in ('Eff', 'Prm', 'Bnd')] == [0, 0, 0]
    facts = podctl.facts('--network=none', '--cap-drop', 'all', '--cap-add', 'chown')
    assert caps(facts, 'Eff') == 1 << CHOWN


def sec_A01_4_contradictions(podctl, image):
    podctl.fails(125, 'run', '--rm', '--network=none', '--cap-add', 'chown', '--cap-drop', 'chown', image, 'true')
    if not IS_PODMAN:
        podctl.fails(125, 'run', '--rm', '--network=none', '--cap-add', 'all', '--cap-drop', 'all', image, 'true')


def sec_A01_7_exec_has_the_containers_sets(podctl, image):
    podctl('run', '-d', '--name', 'c1', '--network=none', '--cap-drop', 'chown', image, '/probe', 'sleep')
    facts = podctl.exec_facts('c1')
    assert caps(facts, 'Eff') == caps(facts, 'Bnd') == DEFAULT & ~(1 << CHOWN)
    facts = podctl.exec_facts('c1', '-u', '1000')
    assert caps(facts, 'Eff') == 0
    podctl('rm', '-f', '-t', '0', 'c1')


def sec_A02_filter_is_on(podctl, image):
    assert podctl.facts('--network=none')['Seccomp'] == '2'


SYSCALLS = [(999, ENOSYS), (169, EPERM), (321, EPERM), (298, EPERM), (304, EPERM), (175, EPERM), (246, EPERM),
            (250, EPERM), (165, EPERM), (155, EPERM), (323, EPERM), (103, EPERM)]


@pytest.mark.parametrize('number,wanted', SYSCALLS)
def sec_A02_matrix(podctl, image, number, wanted):
    text = podctl('run', '--rm', '--network=none', image, '/probe', 'syscall', number).out
    assert text == f'errno {wanted}', f'system call {number}'


@ours
def sec_A02_filter_is_the_same_in_exec(podctl, image):
    podctl('run', '-d', '--name', 'c1', '--network=none', image, '/probe', 'sleep')
    assert podctl.exec_facts('c1')['Seccomp'] == '2'
    assert podctl('exec', 'c1', '/probe', 'syscall', '321').out == 'errno 1'
    podctl('rm', '-f', '-t', '0', 'c1')


@ours
def sec_A02_cache_damage_is_repaired(podctl, image):
    folder = '/run/podctl/seccomp'
    names = [name for name in os.listdir(folder) if name.endswith('.bpf')]
    assert names, 'the filter is cached'
    for damage in (b'', b'\0' * 8, b'x' * 4096):
        for name in names:
            with open(f'{folder}/{name}', 'wb') as stream:
                stream.write(damage)
        assert podctl('run', '--rm', '--network=none', image, '/probe', 'syscall', '999').out == 'errno 38'
        assert podctl('run', '--rm', '--network=none', image, '/probe', 'syscall', '169').out == 'errno 1'


@ours
def sec_A02_cache_is_root_only(podctl, image):
    status = os.stat('/run/podctl/seccomp')
    assert status.st_mode & 0o777 == 0o700 and status.st_uid == 0


def sec_A02_unconfined(podctl, image):
    assert podctl.facts('--network=none', '--security-opt', 'seccomp=unconfined')['Seccomp'] == '0'


@pytest.mark.parametrize('option', ['no-new-privileges', 'no-new-privileges=true', 'no-new-privileges:true'])
def sec_A03_no_new_privileges(podctl, image, option):
    assert podctl.facts('--network=none', '--security-opt', option)['NoNewPrivs'] == '1'


def sec_A03_off_by_default(podctl, image):
    assert podctl.facts('--network=none')['NoNewPrivs'] == '0'


MASKED = ['/proc/kcore', '/proc/keys', '/proc/timer_list', '/proc/interrupts', '/proc/acpi', '/proc/scsi',
          '/sys/firmware', '/proc/latency_stats', '/proc/sched_debug', '/sys/devices/virtual/powercap', '/sys/fs/selinux']


@pytest.mark.parametrize('path', MASKED)
def sec_A04_masked(podctl, image, path):
    result = shell(podctl, f'if [ -d {path} ]; then ls -A {path}; elif [ -e {path} ]; then cat {path}; fi')
    assert result.out == ''


@pytest.mark.parametrize('path', ['/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/proc/irq/x',
                                  '/proc/bus/x', '/proc/fs/x', '/sys/kernel/x', '/sys/fs/cgroup/x'])
def sec_A04_read_only(podctl, image, path):
    result = shell(podctl, f'echo x > {path}', check=False)
    assert result.code != 0 and ('Read-only' in result.stderr or 'nonexistent' in result.stderr)


def sec_A05_devices(podctl, image):
    names = set(shell(podctl, 'ls /dev').out.split())
    wanted = {'null', 'zero', 'full', 'random', 'urandom', 'tty', 'fd', 'stdin', 'stdout', 'stderr', 'ptmx', 'pts',
              'shm', 'mqueue', 'core'}
    assert wanted <= names and names <= wanted | {'console'}


def sec_A05_no_mknod(podctl, image):
    assert shell(podctl, 'mknod /tmp/sda b 8 0', check=False).code != 0


def mounts(facts):
    """mount point: (options, type, super options)"""
    rows = {}
    for line in facts['mountinfo'].strip().split('\n'):
        left, right = line.split(' - ')
        rows[left.split()[4]] = (set(left.split()[5].split(',')), right.split()[0], right.split()[2])
    return rows


def sec_A06_mounts(podctl, image):
    rows = mounts(podctl.facts('--network=none'))
    assert rows['/'][1] == 'overlay'
    assert rows['/proc'][1] == 'proc' and {'nosuid', 'nodev', 'noexec'} <= rows['/proc'][0]
    assert rows['/sys'][1] == 'sysfs' and {'nosuid', 'nodev', 'noexec', 'ro'} <= rows['/sys'][0]
    assert rows['/dev'][1] == 'tmpfs' and 'nosuid' in rows['/dev'][0]
    assert rows['/dev/pts'][1] == 'devpts' and rows['/dev/shm'][1] == 'tmpfs'
    assert {'nosuid', 'nodev', 'noexec'} <= rows['/dev/shm'][0]


def sec_A07_1_host_mounts_are_not_seen(podctl, image):
    assert '/upper' not in podctl.facts('--network=none')['mountinfo'].replace('upperdir', '') or IS_PODMAN


def sec_A07_4_volumes_are_nosuid_nodev(podctl, image, tmp_path):
    rows = mounts(podctl.facts('--network=none', '-v', f'{tmp_path}:/mnt'))
    assert {'nosuid', 'nodev'} <= rows['/mnt'][0]


@ours
def sec_A07_7_overlay_options(podctl, image):
    options = mounts(podctl.facts('--network=none'))['/'][2]
    assert 'metacopy=on' not in options and 'redirect_dir=on' not in options


@pytest.mark.parametrize('setting', ['kernel.core_pattern=x', 'kernel.shm_rmid_forced+kernel.core_pattern=1',
                                     'fs.mqueue./../x=1', 'net/../kernel/core_pattern=x', 'kernel.hostname=x'])
def sec_A08_sysctl_refused(podctl, image, setting):
    result = podctl('run', '--rm', '--network=none', '--sysctl', setting, image, 'true', check=False)
    assert result.code in (125, 126), repr(result)


def sec_A08_sysctl(podctl, image):
    text = shell(podctl, 'cat /proc/sys/net/ipv4/ip_default_ttl', '--sysctl', 'net.ipv4.ip_default_ttl=33')
    assert text.out == '33'


def sec_A09_signals_umask_limits(podctl, image):
    facts = podctl.facts('--network=none')
    assert facts['signals_blocked'] == [] and facts['umask'] == 0o022
    assert facts['signals_ignored'] in ([], [13]) if IS_PODMAN else facts['signals_ignored'] == []
    assert facts['oom_score_adj'].strip() == open('/proc/self/oom_score_adj', encoding='ascii').read().strip()


def sec_A09_odd_caller(podctl, image):
    """A strange environment of the caller does not change what the container sees."""
    line = ' '.join(podctl.words('run', '--rm', '--network=none', image, '/probe'))
    done = subprocess.run(['/usr/bin/python3', '-c', f'''
import os, signal, resource
os.umask(0)
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
os.execvp("sh", ["sh", "-c", "exec {line}"])'''], capture_output=True, text=True, timeout=30, check=True)
    facts = json.loads(done.stdout)
    assert facts['umask'] == 0o022
    if not IS_PODMAN:
        assert facts['signals_blocked'] == [] and facts['signals_ignored'] == []


def sec_A09_ulimit(podctl, image):
    limits = podctl.facts('--network=none', '--ulimit', 'nofile=100:200')['rlimits']
    assert limits['nofile'] == [100, 200]


def sec_A11_descriptors(podctl, image):
    assert set(podctl.facts('--network=none')['fds']) == {'0', '1', '2'}


def sec_A11_descriptors_of_exec(podctl, image):
    podctl('run', '-d', '--name', 'c1', '--network=none', image, '/probe', 'sleep')
    assert set(podctl.exec_facts('c1')['fds']) == {'0', '1', '2'}
    podctl('rm', '-f', '-t', '0', 'c1')


def sec_A11_leaky_caller(podctl, image):
    """200 descriptors of the caller, to / and /etc/shadow, reach nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors = [os.open(path, os.O_RDONLY) for path in ('/', '/etc/shadow') for _ in range(100)]
    try:
        words = podctl.words('run', '--rm', '--network=none', image, '/probe')
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True, close_fds=False,
                              pass_fds=descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    assert set(json.loads(done.stdout)['fds']) == {'0', '1', '2'} and soft <= hard


@pytest.mark.parametrize('workdir', ['/proc/self/fd/7', '/proc/self/fd/8', '/proc/self/fd/9', '/proc/1/fd/10'])
def sec_B1_workdir_is_not_a_descriptor_of_the_host(podctl, image, workdir):
    result = podctl('run', '--rm', '--network=none', '-w', workdir, image, '/probe', check=False)
    if result.code == 0:
        assert not json.loads(result.stdout)['cwd'].startswith('(unreachable)')
        assert json.loads(result.stdout)['cwd'].startswith('/proc')
    else:
        assert result.code in (125, 126, 127)


def sec_A15_files(podctl, image):
    text = shell(podctl, 'cat /etc/hosts /etc/hostname; ls /run/.containerenv').out
    assert 'localhost' in text and '/run/.containerenv' in text


def sec_A16_environment(podctl, image):
    env = podctl.facts('--network=none')['env']
    names = {item.split('=')[0] for item in env}
    assert {'PATH', 'HOME', 'HOSTNAME', 'container'} <= names
    assert not [name for name in names if name.startswith(('PODCTL', 'NOTIFY', 'LISTEN', 'DBUS', 'XDG', 'ASAN'))]


def sec_A17_own_session(podctl, image):
    facts = podctl.facts('--network=none')
    assert facts['sid'] == facts['pgid'] == facts['pid'] == 1


@ours
@pytest.mark.parametrize('target', ['/proc/self/fd', '/proc/sys/kernel', '../proc/1/attr', '/proc'])
def vuln_B2_02_link_into_proc(podctl, image, rootfs, tmp_path, target):
    """A volume does not cover parts of /proc, whatever the image calls them."""
    root, volume = tmp_path / 'root', tmp_path / 'volume'
    subprocess.run(['cp', '-a', rootfs, str(root)], check=True)
    os.symlink(target, root / 'link')
    volume.mkdir()
    for options in (('-v', f'{volume}:/link'), ('--tmpfs', '/link')):
        line = podctl.fails(125, 'run', '--rm', '--network=none', *options, '--rootfs', root, '/bin/true')
        assert '/link' in line, line


@ours
def sec_A19_state_is_private(podctl, image):
    for path in ('/run/podctl', '/run/podctl/containers', '/var/lib/podctl/containers', '/var/lib/podctl/pods'):
        assert os.stat(path).st_mode & 0o027 == 0, path


@ours
def sec_A22_helpers(podctl, image):
    """Supervisor and infra: small, without capabilities they do not need to tell of, and only known descriptors."""
    podctl('pod', 'create', '--name', 'h1')
    podctl.pod_add('h1', image, '/probe', 'sleep', options=['--name', 'm1'])
    infra = podctl.infra_pid('h1')
    status = open(f'/proc/{infra}/status', encoding='ascii').read()
    assert 'NoNewPrivs:\t1' in status and 'Seccomp:\t2' in status
    assert set(os.listdir(f'/proc/{infra}/fd')) <= {'0', '1', '2'}
    podctl('pod', 'rm', '-f', '-t', '0', 'h1')


def test_privileged_has_all(podctl, image):
    result = podctl('run', '--rm', '--network=none', '--privileged', image, '/probe', check=False)
    if result.code == 125:
        pytest.skip('--privileged is not there: ' + result.stderr.strip())
    facts = json.loads(result.stdout)
    own = int([line for line in open('/proc/self/status', encoding='ascii') if line.startswith('CapBnd')][0].split()[1],
              16)
    assert caps(facts, 'Eff') == own and facts['Seccomp'] == '0'


@ours
def vuln_B10_01_terminal(podctl, image):
    """What comes from an image does not act on a terminal; a program gets it as it is."""
    nasty = '\x1b[2J\x07\r\u009b31m\u202e\x7f'
    podctl('create', '--name', 'c1', '--network=none', '--label', f'a={nasty}', image, 'sh', '-c', nasty)
    for words in (('ps', '-a'), ('ps', '-a', '--format', '{{.Labels}} {{.Command}}'), ('inspect', 'c1'),
                  ('inspect', '--format', '{{.Config.Labels}}', 'c1')):
        master, slave = os.openpty()
        process = podctl.start(*words, stdout=slave, stdin=subprocess.DEVNULL)
        os.close(slave)
        text = b''
        try:
            while chunk := os.read(master, 65536):
                text += chunk
        except OSError:
            pass
        os.close(master)
        assert process.wait(10) == 0
        shown = text.decode().replace('\r\n', '\n')
        assert shown and not set(shown) & set(nasty) - set('[2J31m'), (words, shown)
    podctl('rm', 'c1')


@ours
@pytest.mark.parametrize('how', ['line', 'nested', 'link', 'unreadable'])
def vuln_B1_01_own_program(podctl, image, rootfs, tmp_path, how):
    """The host's podctl does not run inside, where its file could be opened and overwritten."""
    root = tmp_path / 'root'
    subprocess.run(['cp', '-a', rootfs, str(root)], check=True)
    evil = root / 'evil'
    if how == 'link':
        os.symlink('/proc/self/exe', evil)
    else:
        evil.write_text('#! /first x\n' if how == 'nested' else '#!/proc/self/exe --version\n')
        (root / 'first').write_text('#!/proc/thread-self/exe\n')
        (root / 'first').chmod(0o755)
        evil.chmod(0o111 if how == 'unreadable' else 0o755)
        if how == 'unreadable':
            os.chown(evil, 1, 1)
    drop = ('--cap-drop', 'DAC_OVERRIDE') if how == 'unreadable' else ()
    result = podctl('run', '--rm', '--network=none', *drop, '--rootfs', root, '/evil', check=False)
    assert result.code != 0 and 'podctl version' not in result.stdout
    podctl('run', '-d', '--name', 'c1', '--network=none', *drop, '--rootfs', root, '/bin/sleep', '100')
    result = podctl('exec', 'c1', '/evil', check=False)
    assert result.code != 0 and 'podctl version' not in result.stdout
    podctl('rm', '-f', '-t', '0', 'c1')
