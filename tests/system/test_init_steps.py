# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Each system call of a container's first process fails once, or claims success and does nothing: security.md A21.

Either the start ends with one line, a documented status and nothing left, or the program has all that
was meant for it around it.
"""
import json
import os
import platform
import subprocess

import pytest

from lib.command import IS_PODMAN
from lib.programs import build

pytestmark = [
    pytest.mark.skipif(IS_PODMAN, reason='about our own first process'),
    pytest.mark.skipif(platform.machine() != 'x86_64', reason='the injector knows x86-64'),
    pytest.mark.skipif(bool(os.environ.get('PODCTL_TEST_SANITIZER_LOGS')), reason='calls of the sanitizer are in the way')]
FULL = bool(os.environ.get('PODCTL_TEST_FULL'))
EPERM, EIO = 1, 5
OPTIONS = ('--network=none', '--hostname', 'steps', '--sysctl', 'net.ipv4.ip_default_ttl=33', '--ulimit', 'nofile=64:64',
           '--read-only')
# What a program must find around it whatever went wrong.
SAME = ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'Seccomp', 'NoNewPrivs', 'uids', 'gids', 'groups', 'umask', 'cwd',
        'hostname', 'rlimits', 'signals_blocked', 'signals_ignored')
# Files that are left out where the root file system cannot hold them.
GENERATED = ('/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/run/.containerenv')
UMASK = 95  # has no way to fail


def words(podctl, *options):
    return podctl.words('run', '--rm', *OPTIONS, *options, 'localhost/test:latest', '/probe')


def shape(facts):
    """What must not change: identity, and every mount with its flags."""
    mounts = sorted((line.split()[4], tuple(sorted(line.split()[5].split(','))), line.split(' - ')[1].split()[0])
                    for line in facts['mountinfo'].strip().split('\n') if line.split()[4] not in GENERATED)
    return {key: facts[key] for key in SAME} | {'mounts': mounts, 'fds': sorted(facts['fds'])}


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)


def calls(podctl, tmp_path, *options):
    """The numbers of the calls of a first process, in order."""
    path = tmp_path / 'calls'
    done = run(build('inject'), 'list', str(path), *words(podctl, *options))
    assert done.returncode == 0, done.stderr
    return [int(line.split()[0]) for line in path.read_text().split('\n') if line], shape(json.loads(done.stdout))


def verdict(done, wanted):
    """None, or what is wrong about the outcome."""
    if done.returncode == 0:
        try:
            found = shape(json.loads(done.stdout))
        except ValueError:
            return f'no facts: {done.stdout[:100]!r}'
        changed = [key for key in wanted if found[key] != wanted[key]]
        return f'started with other {changed}: {[(found[key], wanted[key]) for key in changed[:1]]}' if changed else None
    if done.returncode not in (125, 126, 127):
        return f'status {done.returncode}: {done.stderr!r}'
    if done.stdout:
        return f'output of a start that failed: {done.stdout[:100]!r}'
    lines = [line for line in done.stderr.strip().split('\n') if not line.startswith(('Warning:', 'warning:'))]
    return None if len(lines) == 1 and lines[0] else f'not one line: {done.stderr!r}'


def walk(podctl, tmp_path, result, options=(), only=None):
    numbers, wanted = calls(podctl, tmp_path, *options)
    assert len(numbers) > 40
    places, bad = {}, []
    for at, number in enumerate(numbers):
        if number in only if only else number != UMASK:
            places.setdefault(number, []).append(at)
    for at in sorted(at for list_ in places.values() for at in (list_ if FULL else {list_[0], list_[len(list_) // 2],
                                                                                  list_[-1]})):
        number = numbers[at]
        problem = verdict(run(build('inject'), str(at), str(result), *words(podctl, *options)), wanted)
        if problem:
            bad.append(f'call {at} ({number}) returns {result}: {problem}')
    return bad


@pytest.mark.limit(600)
@pytest.mark.parametrize('error', [EPERM, EIO] if FULL else [EIO])
def sec_A21_each_call_fails(podctl, image, tmp_path, error):
    bad = walk(podctl, tmp_path, -error)
    assert not bad, '\n'.join(bad)


# setresuid setresgid setgroups capset prctl seccomp; move_mount mount_setattr pivot_root
IDENTITY, MOUNTS, SECCOMP = {117, 119, 116, 126, 157}, {429, 442, 155}, {317}


@pytest.mark.limit(600)
@pytest.mark.parametrize('options', [(), ('--user', '1000'), ('--security-opt', 'no-new-privileges')],
                         ids=['root', 'user', 'no-new-privileges'])
def sec_A01_3_each_call_pretends(podctl, image, tmp_path, options):
    """security: A01.3, A04.3. A drop that was not made, a mask that is not there: the start ends."""
    # With no_new_privs nothing can be asked behind the filter: the profile may forbid the question.
    only = IDENTITY | MOUNTS | SECCOMP if not options else IDENTITY
    bad = walk(podctl, tmp_path, 0, options, only)
    assert not bad, '\n'.join(bad)
