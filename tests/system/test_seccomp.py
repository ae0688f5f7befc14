# SPDX-License-Identifier: LGPL-2.1-or-later
"""The filter as a container meets it. What it means in every case is shown by the unit tests."""
import json
import os
import platform

import pytest

from lib import leaks
from lib.command import IS_PODMAN

HERE = os.path.dirname(os.path.abspath(__file__))
ENOSYS, EPERM, AF_ALG, AF_VSOCK = 38, 1, 38, 40
I386_SOCKET, I386_SOCKETCALL = 359, 102
amd64 = pytest.mark.skipif(platform.machine() != 'x86_64', reason='the table is for x86-64')
pytestmark = pytest.mark.skipif(IS_PODMAN, reason='podctl is stricter here')


def golden():
    """number: (name, verdict)"""
    with open(f'{HERE}/golden/syscalls.{platform.machine()}', encoding='ascii') as stream:
        rows = [line.split() for line in stream if not line.startswith('#')]
    return {int(number): (name, verdict) for number, name, verdict in rows}


@pytest.fixture(scope='module')
def answers(session_podctl, image):
    """Of every system call, with the default profile and with none."""
    run = ('run', '--rm', '--network=none')
    found = (session_podctl.json(*run, image, '/probe', 'matrix'),
             session_podctl.json(*run, '--security-opt', 'seccomp=unconfined', image, '/probe', 'matrix'))
    leaks.settled()
    return found


@amd64
def sec_A02_matrix(answers):
    """security: A02.1, A12.2. Every number from 0 to 600: what the table says; what is allowed is the kernel's answer."""
    table, (confined, free), wrong = golden(), answers, []
    for number, answer in enumerate(confined['native']):
        name, verdict = table.get(number, ('-', 'ENOSYS'))
        if verdict == 'allowed':
            # Waiting ones and seccomp(2) itself end by a signal, another one under another filter.
            good = answer == free['native'][number] or min(answer, free['native'][number]) < -100
        else:
            good = verdict == 'kernel' or answer == {'EPERM': EPERM, 'ENOSYS': ENOSYS}[verdict]
        if not good:
            wrong.append(f'{number} {name}: {answer} (without a filter {free["native"][number]}), wanted: {verdict}')
    assert not wrong, '\n'.join(wrong)
    assert len(confined['native']) == 601


@amd64
def sec_A02_2_no_other_architecture(answers):
    """Neither x32 nor i386 has a single call."""
    confined = answers[0]
    assert set(confined['x32']) == {ENOSYS}
    # Without the kernel's 32-bit entry the instruction itself is an error.
    assert set(confined['i386']) in ({ENOSYS}, {-111})


@amd64
def sec_A02_i386(podctl, image):
    """The way around the rules for sockets: socketcall, whose arguments no filter sees."""
    for family in (AF_ALG, AF_VSOCK, 2):
        out = podctl('run', '--rm', '--network=none', image, '/probe', 'i386', I386_SOCKET, family, 5, 0, check=False)
        assert out.code != 0 or out.out == f'-{ENOSYS}', repr(out)
    out = podctl('run', '--rm', '--network=none', image, '/probe', 'i386', I386_SOCKETCALL, 1, 0, 0, check=False)
    assert out.code != 0 or out.out == f'-{ENOSYS}', repr(out)


PROFILES = {
    'podctl': '/usr/share/podctl/seccomp.json',
    'podman': '/usr/share/containers/seccomp.json',
}


def write_profile(path, **more):
    path.write_text(json.dumps({'defaultAction': 'SCMP_ACT_ERRNO', **more}))
    return f'seccomp={path}'


@pytest.mark.parametrize('profile', sorted(PROFILES))
def sec_A02_enosys(podctl, image, profile):
    path = PROFILES[profile]
    if not os.path.exists(path):
        pytest.skip(f'no {path}')
    out = podctl('run', '--rm', '--network=none', '--security-opt', f'seccomp={path}', image, '/probe', 'syscall', '9999')
    assert out.out == f'errno {ENOSYS}'


# What the probe itself and a start need; the shape of docker's file: EPERM for everything else.
NEEDED = '''access faccessat faccessat2 arch_prctl brk capget capset clone close close_range dup2 dup3 execve execveat exit exit_group fchdir
fchown fcntl fork fstat getcwd getdents64 getegid geteuid getgid getgroups getpgrp getpid getppid getpriority getresgid
getresuid getsid getuid ioctl lseek mmap mprotect munmap open openat openat2 poll prctl prlimit64 read readlink
readlinkat recvmsg rt_sigaction rt_sigprocmask rt_sigreturn sendmsg set_tid_address setgroups setitimer setresgid
setresuid setsid uname umask wait4 write writev newfstatat stat statx getrlimit futex getrandom rseq set_robust_list
mremap madvise sched_getaffinity gettid tgkill sendto socket fstatfs pread64 fchmod'''.split()


def sec_A02_4_newer_than_the_profile(podctl, image, tmp_path):
    """EPERM for what the profile leaves out, ENOSYS for what it cannot have known."""
    option = write_profile(tmp_path / 'p.json', syscalls=[{'names': NEEDED, 'action': 'SCMP_ACT_ALLOW'}])
    for number, wanted in ((9999, ENOSYS), (500, ENOSYS), (83, EPERM)):
        out = podctl('run', '--rm', '--network=none', '--security-opt', option, image, '/probe', 'syscall', number)
        assert out.out == f'errno {wanted}', number


@pytest.mark.parametrize('options', [(), ('--security-opt', 'no-new-privileges'), ('--user', '1000')])
def sec_A02_9_both_places(podctl, image, tmp_path, options):
    """Before the capabilities go, or last of all: the same filter."""
    option = write_profile(tmp_path / 'p.json', syscalls=[{'names': NEEDED, 'action': 'SCMP_ACT_ALLOW'}])
    facts = podctl.facts('--network=none', '--security-opt', option, *options)
    assert facts['Seccomp'] == '2'


def sec_A02_3_unknown_names(podctl, image, tmp_path):
    option = write_profile(tmp_path / 'p.json', syscalls=[{'names': [*NEEDED, 'no_such', 'nor_this'],
                                                          'action': 'SCMP_ACT_ALLOW'}])
    done = podctl('create', '--name', 'u1', '--network=none', '--security-opt', option, image, '/probe', 'exit', '0')
    first = podctl('start', '-a', 'u1')
    again = podctl('start', '-a', 'u1')
    podctl('rm', 'u1')
    assert '2 names unknown' in done.stderr + first.stderr and 'unknown' not in again.stderr


def sec_A02_5_denial_wins(podctl, image, tmp_path):
    option = write_profile(tmp_path / 'p.json', syscalls=[
        {'names': [*NEEDED, 'mkdir'], 'action': 'SCMP_ACT_ALLOW'},
        {'names': ['mkdir'], 'action': 'SCMP_ACT_ERRNO', 'errno': 'EACCES'}])
    out = podctl('run', '--rm', '--network=none', '--security-opt', option, image, '/probe', 'syscall', '83')
    assert out.out == 'errno 13'


BAD = {
    'no JSON': '{', 'a list': '[]', 'no action': '{}', 'twice': '{"defaultAction":"SCMP_ACT_ALLOW","defaultAction":"x"}',
    'operator': '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO",'
                '"args":[{"index":0,"op":"EQ"}]}]}',
    'index': '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO",'
             '"args":[{"index":6,"op":"SCMP_CMP_EQ"}]}]}',
    'errno': '{"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"EWHAT"}',
    'listener': '{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/x"}',
    'deep': '{"defaultAction":"SCMP_ACT_ALLOW","comment":' + '[' * 9 + ']' * 9 + '}',
    'big': '{"defaultAction":"SCMP_ACT_ALLOW"}' + ' ' * (1 << 20),
}


@pytest.mark.parametrize('what', sorted(BAD))
def sec_A02_1_bad_profiles(podctl, image, tmp_path, what):
    path = tmp_path / 'bad.json'
    path.write_text(BAD[what])
    line = podctl.fails(125, 'run', '--rm', '--network=none', '--security-opt', f'seccomp={path}', image, 'true')
    assert str(path) in line
    os.unlink(path)
    assert str(path) in podctl.fails(125, 'run', '--rm', '--network=none', '--security-opt', f'seccomp={path}', image,
                                     'true')
    os.mkfifo(path)
    assert str(path) in podctl.fails(125, 'run', '--rm', '--network=none', '--security-opt', f'seccomp={path}', image,
                                     'true')


def sec_A02_10_where_it_holds(podctl, image):
    """exec has the container's filter, also the one without; a privileged container none."""
    podctl('run', '-d', '--name', 'c1', '--network=none', image, '/probe', 'sleep')
    podctl('run', '-d', '--name', 'c2', '--network=none', '--privileged', image, '/probe', 'sleep')
    assert podctl.exec_facts('c1')['Seccomp'] == '2' and podctl.exec_facts('c2')['Seccomp'] == '0'
    assert podctl('exec', 'c1', '/probe', 'syscall', '321').out == f'errno {EPERM}'
    podctl('rm', '-f', '-t', '0', 'c1', 'c2')
