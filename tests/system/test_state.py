# SPDX-License-Identifier: LGPL-2.1-or-later
"""State, identity of processes, and what others find of it (security.md B9, B12, B13)."""
import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from lib.command import IS_PODMAN, wait_for

pytestmark = pytest.mark.skipif(IS_PODMAN, reason='about podctl itself')

FULL = bool(os.environ.get('PODCTL_TEST_FULL'))
ROUNDS = 200 if FULL else 12
RUN, STATE = '/run/podctl', '/var/lib/podctl'


def as_nobody(*words):
    return subprocess.run(['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups', *words], capture_output=True,
                          text=True, check=False)


def files_of(*directories):
    return {os.path.join(directory, name) for directory in directories if os.path.isdir(directory)
            for name in os.listdir(directory)}


@pytest.fixture
def canary(tmp_path):
    """A directory outside of podctl's that must stay as it is."""
    directory = tmp_path / 'canary'
    directory.mkdir()
    (directory / 'file').write_text('token')
    yield str(directory)
    assert os.listdir(directory) == ['file'] and (directory / 'file').read_text() == 'token'


def running(podctl, image, name, *options):
    podctl('run', '-d', '--name', name, '--network=none', *options, image, '/probe', 'sleep')
    return podctl.pid(name)


def supervisor_of(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii') as stream:
        return int(stream.read().rpartition(')')[2].split()[1])


def vuln_B9_02_forged_records_remove_nothing_else(podctl, image, canary):
    identifier = podctl('create', '--name', 'c1', image, 'true').out
    path = f'{STATE}/containers/{identifier}/definition.json'
    for key, value in (('id', '../../../../../..' + canary), ('name', '../../..' + canary),
                       ('id', 'a' * 64), ('pod_id', '../..' + canary)):
        with open(path, encoding='utf-8') as stream:
            saved = stream.read()
        record = json.loads(saved)
        record[key] = value
        with open(path, 'w', encoding='utf-8') as stream:
            json.dump(record, stream)
        podctl('ps', '-a', check=False)
        podctl('inspect', 'c1', check=False)
        with open(path, 'w', encoding='utf-8') as stream:
            stream.write(saved)
    record = json.loads(saved)
    record['id'] = '../../../../../..' + canary
    with open(path, 'w', encoding='utf-8') as stream:
        json.dump(record, stream)
    podctl('rm', '-f', identifier, check=False)
    podctl('container', 'prune', '-f', check=False)
    assert not os.path.exists(f'{STATE}/containers/{identifier}')


def vuln_B9_02_a_link_in_the_state_is_not_followed(podctl, image, canary):
    identifier = podctl('create', '--name', 'c1', image, 'true').out
    os.makedirs(f'{STATE}/containers/{identifier}/data', exist_ok=True)
    os.symlink(canary, f'{STATE}/containers/{identifier}/data/upper')
    podctl('rm', '-f', 'c1')


def vuln_B9_04_others_see_nothing(podctl, image):
    """security: B13-03, B9-06, B6-15"""
    pid = running(podctl, image, 'c1')
    for directory in (RUN, STATE):
        # the top directory of the tests is not podctl's own
        found = as_nobody('find', directory, '-mindepth', '2')
        assert found.stdout == '', found.stdout
        for folder, _, names in os.walk(directory):
            for name in names:
                path = os.path.join(folder, name)
                if 'upper' in path or '/layers/' in path or os.path.islink(path):
                    continue
                assert as_nobody('cat', path).returncode != 0, path
    assert as_nobody('cat', f'/proc/{supervisor_of(pid)}/environ').returncode != 0
    podctl('rm', '-f', '-t', '0', 'c1')


def vuln_B9_05_no_temporary_files(podctl, image, rootfs_tar, tmp_path):
    """security: B13-01"""
    places = ('/tmp', '/var/tmp', '/dev/shm', '/', '/etc', '/run', '/root')
    before = files_of(*places)
    for directory in ('/tmp', '/var/tmp', '/dev/shm'):
        for name in ('podctl', 'podctl-0', 'podctl-run', '.podctl', 'containers', 'storage-run-0'):
            path = f'{directory}/{name}'
            if not os.path.lexists(path):
                os.symlink(str(tmp_path / 'planted'), path)
                os.lchown(path, 1000, 1000)
    planted = files_of(*places) - before
    try:
        podctl('image', 'import', rootfs_tar, 'localhost/temporary:1')
        podctl('run', '--rm', 'localhost/temporary:1', 'true')
        podctl('image', 'rm', 'localhost/temporary:1')
        assert files_of(*places) - before - planted <= {'/run/podctl', '/run/netns'}
        assert not os.path.exists(tmp_path / 'planted')
    finally:
        for path in planted:
            os.unlink(path)


def vuln_B9_06_setuid_files_of_a_volume_are_inert(podctl, image, tmp_path):
    shutil.copy(shutil.which('busybox'), tmp_path / 'id')
    os.chmod(tmp_path / 'id', 0o4755)
    os.chmod(tmp_path, 0o755)
    result = podctl('run', '--rm', '--network=none', '--user', '1000', '-v', f'{tmp_path}:/v', image, '/v/id', '-u')
    assert result.out == '1000'


def vuln_B9_08_removal_while_in_use(podctl, image):
    running(podctl, image, 'c1')
    assert podctl('rm', 'c1', check=False).code == 2
    assert podctl('image', 'rm', image, check=False).code != 0
    assert podctl('exec', 'c1', 'echo', 'alive').out == 'alive'
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda _: podctl('rm', '-f', '-t', '0', 'c1', check=False).code, range(4)))
    assert set(codes) <= {0, 1}, codes
    assert podctl('container', 'exists', 'c1', check=False).code == 1


def vuln_B12_01_a_pid_used_again_is_left_alone(podctl, image):
    """The record names a process by pid and start time: a decoy under the same pid is somebody else."""
    for action in (('stop', '-t', '0', 'c1'), ('kill', 'c1'), ('rm', '-f', '-t', '0', 'c1'), ('exec', 'c1', 'true'),
                   ('restart', '-t', '0', 'c1'), ('top', 'c1')):
        identifier = podctl('run', '-d', '--name', 'c1', '--network=none', image, '/probe', 'sleep').out
        pid = podctl.pid('c1')
        # at another tick of the clock by which the kernel tells start times
        time.sleep(0.05)
        decoy = subprocess.Popen(['sleep', '100'])
        os.kill(supervisor_of(pid), signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not podctl.running('c1'))
        path = f'{RUN}/containers/{identifier}/state.json'
        with open(path, encoding='utf-8') as stream:
            text = stream.read()
        assert str(pid) in text
        with open(path, 'w', encoding='utf-8') as stream:
            stream.write(text.replace(str(pid), str(decoy.pid)))
        podctl(*action, check=False)
        assert decoy.poll() is None, action
        decoy.kill()
        decoy.wait(10)
        podctl('rm', '-f', '-i', '-t', '0', 'c1')


def vuln_B12_02_decoys_with_our_names(podctl, image, tmp_path):
    pid = running(podctl, image, 'c1')
    with open(f'/proc/{supervisor_of(pid)}/cmdline', 'rb') as stream:
        words = stream.read().rstrip(b'\0').split(b'\0')
    decoy = subprocess.Popen([words[0], '100'], executable=shutil.which('sleep'))
    other = subprocess.Popen(['/probe', '100'], executable=shutil.which('sleep'))
    podctl('restart', '-t', '0', 'c1')
    podctl('stop', '-t', '0', 'c1')
    podctl('rm', '-f', 'c1')
    for process in (decoy, other):
        assert process.poll() is None
        process.kill()
        process.wait(10)


def vuln_B12_06_start_stop_and_rm_at_once(podctl, image):
    for _ in range(ROUNDS):
        podctl('create', '--name', 'c1', '--network=none', image, '/probe', 'sleep')
        words = [('start', 'c1'), ('stop', '-t', '0', 'c1'), ('start', 'c1'), ('rm', '-f', '-t', '0', 'c1'),
                 ('restart', '-t', '0', 'c1')]
        with concurrent.futures.ThreadPoolExecutor(len(words)) as pool:
            list(pool.map(lambda row: podctl(*row, check=False), words))
        podctl('rm', '-f', '-i', '-t', '0', 'c1')
        assert podctl('ps', '-aq').out == ''


@pytest.mark.parametrize('words,code', [
    (('/probe', 'exit', '0'), 0), (('/probe', 'exit', '1'), 1), (('/probe', 'exit', '125'), 125),
    (('/probe', 'exit', '126'), 126), (('/probe', 'exit', '127'), 127), (('/probe', 'exit', '128'), 128),
    (('/probe', 'exit', '255'), 255), (('/probe', 'exit', '256'), 0), (('sh', '-c', 'kill -9 $$; sleep 5'), None),
    (('/nothing',), 127), (('/etc',), 126), (('/etc/passwd',), 126), (('nothing',), 127)])
def vuln_B12_08_ends_are_told_apart(podctl, image, words, code):
    result = podctl('run', '--name', 'c1', '--network=none', image, *words, check=False, timeout=20)
    if code is not None:
        assert result.code == code
        data = podctl.inspect('c1')['State']
        assert data['ExitCode'] == code
        assert bool(result.stderr) == (len(words) == 1)
    podctl('rm', '-f', '-t', '0', 'c1')


# the first process of a pid namespace takes only what it has a handler for, and SIGKILL
@pytest.mark.parametrize('number', [9, 15])
def vuln_B12_08_death_by_signal(podctl, image, number):
    running(podctl, image, 'c1')
    podctl.ready('c1')
    os.kill(podctl.pid('c1'), number)
    code = int(podctl('wait', 'c1').out)
    assert code in (128 + number, 0)
    assert podctl.inspect('c1')['State']['ExitCode'] == code
    podctl('rm', 'c1')


def vuln_B12_10_nothing_outlives_the_first_process(podctl, image):
    podctl('run', '-d', '--name', 'c1', '--network=none', image, 'sh', '-c',
           'for i in 1 2 3; do setsid sleep 1000 & done; exec sleep 1')
    pid = podctl.pid('c1')
    inode = os.stat(f'/proc/{pid}/ns/pid').st_ino
    podctl('wait', 'c1')
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                assert os.stat(f'/proc/{name}/ns/pid').st_ino != inode
            except OSError:
                pass
    podctl('rm', 'c1')


def vuln_B13_02_directory_of_another_user(podctl, image, tmp_path):
    other = tmp_path / 'runtime'
    other.mkdir(mode=0o700)
    os.chown(other, 1000, 1000)
    environment = dict(os.environ, XDG_RUNTIME_DIR=str(other), XDG_DATA_HOME=str(other), HOME=str(other))
    podctl('run', '--rm', '--network=none', image, 'true', env=environment)
    assert os.listdir(other) == []


def vuln_B13_06_no_core_dumps(podctl, image):
    pid = running(podctl, image, 'c1')
    with open(f'/proc/{supervisor_of(pid)}/limits', encoding='ascii') as stream:
        line = [line for line in stream if line.startswith('Max core file size')][0]
    assert line.split()[4] == '0', line
    podctl('rm', '-f', '-t', '0', 'c1')


@pytest.mark.parametrize('value', ['x' * 100000, '{"a":"}', 'a\nb\n\n', '"', '\\', ',\n}', '\x01\x1f', 'é\u2028'])
def vuln_B13_09_values_come_back(podctl, image, value):
    podctl('create', '--name', 'c1', '--network=none', '--label', f'v={value}', '--env', f'V={value}', image, 'true')
    config = podctl.inspect('c1')['Config']
    assert config['Labels']['v'] == value and f'V={value}' in config['Env']
    podctl('rm', 'c1')


def vuln_B13_11_state_of_another_boot(podctl, image):
    """What the run directory says of another boot is not believed: nothing of it runs."""
    pid = running(podctl, image, 'c1')
    supervisor = supervisor_of(pid)
    os.kill(supervisor, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not os.path.exists(f'/proc/{pid}'))
    with open(f'{RUN}/boot', encoding='ascii') as stream:
        boot = stream.read()
    with open(f'{RUN}/boot', 'w', encoding='ascii') as stream:
        stream.write('00000000-0000-0000-0000-000000000000')
    assert podctl('ps', '-q').out == ''
    podctl('start', 'c1')
    assert podctl.running('c1')
    with open(f'{RUN}/boot', encoding='ascii') as stream:
        assert stream.read() == boot
    podctl('rm', '-f', '-t', '0', 'c1')


def vuln_B12_07_stop_of_a_stopped_process(podctl, image):
    pid = running(podctl, image, 'c1')
    os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    podctl('stop', '-t', '1', 'c1')
    assert time.monotonic() - start < 5
    podctl('rm', 'c1')
