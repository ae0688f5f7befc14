# SPDX-License-Identifier: LGPL-2.1-or-later
"""A container that goes for who comes in, and for the settings of the host (security.md B1, B3)."""
import hashlib
import json
import os
import shutil
import subprocess

import pytest

from lib.processes import make_image  # noqa: F401 (a fixture)
from lib.programs import build

FULL = bool(os.environ.get('PODCTL_TEST_FULL'))
EXECS = 2000 if FULL else 60
STARTS = 5000 if FULL else 40
# Which are the host's, and could run a program or stop the machine.
PRECIOUS = ('/proc/sys/kernel/core_pattern', '/proc/sys/kernel/modprobe', '/proc/sys/kernel/hotplug',
            '/proc/sys/kernel/poweroff_cmd', '/proc/sys/vm/panic_on_oom', '/sys/kernel/uevent_helper',
            '/proc/sysrq-trigger', '/proc/sys/fs/binfmt_misc/register')
DEFAULT = ('CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID '
           'SYS_CHROOT').split()


@pytest.fixture
def armed(podctl, image, rootfs, tmp_path):
    """A root file system with the attacker in it."""
    root = str(tmp_path / 'root')
    subprocess.run(['cp', '-a', rootfs, root], check=True)
    shutil.copy(build('attacker'), f'{root}/attacker')
    return root


def programs():
    """Digest, inode and time of each program of podctl's."""
    found = {}
    directories = ('/usr/bin', '/usr/lib/podctl')
    for directory in directories:
        for name in sorted(os.listdir(directory)):
            path = os.path.join(directory, name)
            if name.startswith('podctl') and os.path.isfile(path):
                info = os.stat(path)
                with open(path, 'rb') as stream:
                    digest = hashlib.sha256(stream.read()).hexdigest()
                found[path] = digest, info.st_ino, info.st_mtime_ns
    assert found
    return found


def hunt(podctl, armed, *options, work):
    """Starts the hunter, does the work, returns what the hunter reached."""
    podctl('run', '-d', '--name', 'hunter', '--network=none', *options, '--rootfs', armed, '/attacker', 'hunt',
           '600', '/probe')
    work()
    with open(f'{armed}/stop', 'wb'):
        pass
    podctl('wait', 'hunter')
    result = json.loads(podctl('logs', 'hunter').out)
    podctl('rm', '-f', '-t', '0', 'hunter')
    return result


def vuln_B1_04_who_joins_cannot_be_reached(podctl, armed):
    before = programs()

    def work():
        for _ in range(EXECS):
            podctl('exec', 'hunter', '/probe', 'exit', '0')

    found = hunt(podctl, armed, work=work)
    assert found.pop('processes') >= EXECS // 4, found
    last = found.pop('last')
    assert found == {name: 0 for name in found}, (found, last)
    assert programs() == before


def vuln_B1_01_commands_beside_a_hunter(podctl, armed, tmp_path):
    """exec, top, kill, stop: the host's programs are never within reach for writing."""
    before = programs()

    def work():
        for _ in range(max(EXECS // 6, 5)):
            podctl('exec', 'hunter', '/probe', 'exit', '0')
            podctl('top', 'hunter')
            podctl('inspect', 'hunter')
            podctl('kill', '-s', 'CONT', 'hunter')
        podctl('stop', '-t', '0', 'hunter')

    podctl('run', '-d', '--name', 'hunter', '--network=none', '--rootfs', armed, '/attacker', 'hunt', '60', '/probe')
    work()
    podctl('rm', '-f', '-t', '0', 'hunter')
    assert programs() == before


def vuln_B1_08_proc_of_the_container_is_not_trusted(podctl, rootfs, tmp_path):
    """A container may put anything at its /proc: a process that joins writes to the real one."""
    root = str(tmp_path / 'root')
    subprocess.run(['cp', '-a', rootfs, root], check=True)
    podctl('run', '-d', '--name', 'c1', '--privileged', '--network=none', '--rootfs', root, 'sh', '-c',
           'mount -t tmpfs none /proc && mkdir -p /proc/self/attr /proc/1/attr /proc/self/fd && '
           'ln -s / /proc/1/root && : >/proc/self/oom_score_adj && echo there; exec sleep 100')
    from lib.command import wait_for
    wait_for(lambda: 'there' in podctl('logs', 'c1').out)
    assert podctl('exec', 'c1', 'echo', 'fine').out == 'fine'
    assert podctl('exec', '-u', 'user', 'c1', 'id', '-un').out == 'user'
    assert 'sleep' in podctl('top', 'c1').out
    assert os.path.getsize(f'{root}/proc') >= 0 and not os.listdir(f'{root}/proc')
    podctl('rm', '-f', '-t', '0', 'c1')


def vuln_B1_11_entry_point_is_swapped(podctl, image, tmp_path):
    """The entry point of a volume turns from script to link, FIFO and directory under the start."""
    volume = tmp_path / 'volume'
    volume.mkdir()
    swapper = tmp_path / 'swap.sh'
    swapper.write_text('''
cd "$1" || exit 1
printf '#!/bin/sh\\nexit 7\\n' >script; chmod 755 script
ln -s /proc/1/exe link; mkfifo fifo; mkdir dir
while :; do
  for kind in script link fifo dir; do
    rm -rf next; cp -a "$kind" next; rm -rf entry; mv -T next entry
  done
done
''')
    attacker = subprocess.Popen(['sh', str(swapper), str(volume)])
    try:
        for _ in range(STARTS):
            result = podctl('run', '--rm', '--network=none', '-v', f'{volume}:/v', image, '/v/entry', check=False,
                            timeout=10)
            assert result.code in (2, 7, 125, 126, 127), result
            assert 'podctl version' not in result.stdout and 'Usage' not in result.stdout
    finally:
        attacker.kill()
        attacker.wait(10)


def writable(podctl, image, *options, exclude=''):
    """Files below /proc and /sys that uid 0 of the container can open for writing, without /proc/PID."""
    script = (r'find /proc /sys -xdev \( -path "/proc/[0-9]*" -o -path /proc/self -o -path /proc/thread-self '
              r'-o -path "/proc/*/task" \) -prune -o -type f -print 2>/dev/null | '
              r'while read -r f; do [ -w "$f" ] && (echo >>"$f") 2>/dev/null && echo "$f"; done; true')
    return set(podctl('run', '--rm', '--network=none', *options, image, 'sh', '-c', script, timeout=120).out.split())


def vuln_B3_01_nothing_of_proc_and_sys_is_writable(podctl, image):
    assert writable(podctl, image) == set()


@pytest.mark.parametrize('capability', ['', 'SYS_ADMIN', 'SYS_PTRACE', 'SYS_RAWIO', 'NET_ADMIN', 'SYS_MODULE',
                                        'DAC_READ_SEARCH', 'SYS_RESOURCE', 'SYS_BOOT', 'MKNOD'])
def vuln_B3_07_settings_that_run_programs(podctl, image, capability):
    options = ('--cap-add', capability) if capability else ()
    script = 'for f in ' + ' '.join(PRECIOUS) + '; do (echo podctl-test >"$f") 2>/dev/null && echo "$f"; done; true'
    before = {}
    for path in PRECIOUS:
        try:
            with open(path, encoding='utf-8') as stream:
                before[path] = stream.read()
        except OSError:
            pass
    result = podctl('run', '--rm', '--network=none', *options, image, 'sh', '-c', script, check=False)
    if result.code == 125 and 'does not have it' in result.stderr:
        pytest.skip(f'the caller lacks {capability}')
    assert result.code == 0 and result.out == '', result
    for path, text in before.items():
        with open(path, encoding='utf-8') as stream:
            assert stream.read() == text


@pytest.mark.parametrize('value', ['net.ipv4.ip_forward=0+kernel.core_pattern=|/x',
                                   'kernel.shm_rmid_forced+kernel.core_pattern=1',
                                   'net.ipv4.ip_forward=1\nkernel.core_pattern=x', 'net.ipv4.ip_forward=1,kernel.panic=1'])
def vuln_B3_05_one_setting_stays_one(podctl, image, value):
    with open('/proc/sys/kernel/core_pattern', encoding='utf-8') as stream:
        before = stream.read()
    result = podctl('run', '--rm', '--network=none', '--sysctl', value, image, 'cat', '/proc/sys/kernel/core_pattern',
                    check=False)
    assert result.code == 125 and len(result.stderr.strip().split('\n')) == 1, result
    with open('/proc/sys/kernel/core_pattern', encoding='utf-8') as stream:
        assert stream.read() == before


@pytest.mark.parametrize('option', ['label=type:container_t', 'label=level:s0:c1,c2', 'label=nested',
                                    'apparmor=podctl-default'])
def vuln_B3_08_labels_are_never_silently_dropped(podctl, image, option):
    if os.path.exists('/sys/fs/selinux/enforce') and option.startswith('label'):
        pytest.skip('this kernel has SELinux')
    if os.path.exists('/sys/kernel/security/apparmor') and option.startswith('apparmor'):
        pytest.skip('this kernel has AppArmor')
    line = podctl.fails(125, 'run', '--rm', '--network=none', '--security-opt', option, image, 'true')
    assert option.split('=')[0] in line


DESCRIPTORS = [f'/proc/self/fd/{number}' for number in (range(65) if FULL else (0, 3, 4, 5, 6, 7, 8, 9, 12, 20, 64))]
OUTSIDE = (*DESCRIPTORS, '/proc/self/cwd', '/proc/1/root', '/proc/1/cwd', '/proc/self/fd/7/../../..', '/proc/thread-self/root/..',
           '/dev/fd/5')
LOOK = 'for up in . .. ../.. ../../.. ../../../../../../../..; do [ ! -e "$up/podctl-canary" ] || echo escaped; done'


@pytest.fixture
def canary():
    with open('/podctl-canary', 'w', encoding='ascii') as stream:
        stream.write('#!/bin/sh\necho canary\n')
    os.chmod('/podctl-canary', 0o755)
    yield
    os.unlink('/podctl-canary')


def directories_left_open():
    """What a careless caller holds: the host's root under many numbers."""
    root = os.open('/', os.O_RDONLY)
    for number in range(3, 65):
        if number != root:
            os.dup2(root, number)


def judge(result):
    """Refused, or inside."""
    assert 'escaped' not in result.stdout and 'canary' not in result.stdout and 'canary:' not in result.stderr, result
    assert result.code == 0 or 125 <= result.code <= 127, result


@pytest.mark.limit(900)
@pytest.mark.parametrize('use', ['workdir', 'exec', 'entry', 'link', 'image-workdir', 'image-entry'])
def vuln_B1_02_every_descriptor(podctl, image, make_image, rootfs, canary, tmp_path, use):  # noqa: F811
    """Each value in each place that names a directory or program: nothing leads to the host."""
    again = {'preexec_fn': directories_left_open, 'close_fds': False, 'check': False}
    run = ('run', '--rm', '--network=none')
    root = tmp_path / 'root'
    assert 'escaped' in podctl(*run, '-v', '/:/host', '-w', '/host', image, 'sh', '-c', LOOK).stdout, 'the measure itself'
    if use == 'exec':
        podctl('run', '-d', '--name', 'c1', '--network=none', image, '/probe', 'sleep')
    if use == 'link':
        subprocess.run(['cp', '-a', rootfs, str(root)], check=True)
    for number, path in enumerate(OUTSIDE):
        if use == 'workdir':
            judge(podctl(*run, '-w', path, image, 'sh', '-c', LOOK, **again))
        elif use == 'exec':
            judge(podctl('exec', '-w', path, 'c1', 'sh', '-c', LOOK, **again))
        elif use == 'entry':
            judge(podctl(*run, image, f'{path}/podctl-canary', **again))
        elif use == 'link':
            os.symlink(path, root / f'link{number}')
            judge(podctl(*run, '-w', f'/link{number}', '--rootfs', root, 'sh', '-c', LOOK, **again))
        elif use == 'image-workdir':
            judge(podctl(*run, make_image(WorkingDir=path), 'sh', '-c', LOOK, **again))
        else:
            judge(podctl(*run, make_image(Entrypoint=[f'{path}/podctl-canary'], Cmd=[]), **again))
    if use == 'exec':
        podctl('rm', '-f', '-t', '0', 'c1')
