# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers on the command line."""
import json
import os
import signal
import subprocess

import pytest

from lib.command import wait_for


@pytest.fixture
def sleeper(podctl, image):
    """A running container named s1."""
    podctl('run', '-d', '--name', 's1', '--network=none', image, '/probe', 'sleep')
    podctl.ready('s1')
    yield 's1'
    podctl('rm', '-f', '-i', '-t', '0', 's1')


def run(podctl, image, *command, options=(), **more):
    return podctl('run', '--rm', '--network=none', *options, image, *command, **more)


@pytest.mark.parametrize('code', [0, 1, 7, 124, 200, 255])
def test_run_ends_with_the_status(podctl, image, code):
    assert run(podctl, image, '/probe', 'exit', code, check=False).code == code


def test_run_ends_with_128_and_the_signal(podctl, image):
    result = run(podctl, image, 'sh', '-c', 'sh -c "kill -9 \\$\\$"; exit $?', check=False)
    assert result.code == 137


def test_run_streams(podctl, image):
    result = run(podctl, image, 'sh', '-c', 'echo out; echo err >&2')
    assert result.stdout == 'out\n' and result.stderr == 'err\n'


def test_run_large_output_is_whole(podctl, image):
    result = run(podctl, image, 'sh', '-c', 'seq 1 200000')
    assert result.stdout.count('\n') == 200000 and result.stdout.endswith('200000\n')


def test_run_without_interactive_has_no_input(podctl, image):
    assert run(podctl, image, 'cat', input='x').stdout == ''


def test_run_interactive_reads_input(podctl, image):
    assert run(podctl, image, 'cat', options=['-i'], input='one\ntwo\n').stdout == 'one\ntwo\n'


def test_run_detached_prints_the_id(podctl, image, sleeper):
    identifier = podctl.inspect(sleeper)['Id']
    assert len(identifier) == 64
    assert podctl('ps', '-q', '--no-trunc').out == identifier


def test_create_start_stop_rm(podctl, image):
    identifier = podctl('create', '--name', 'c1', '--network=none', image, '/probe', 'sleep').out
    assert podctl.state('c1')['Status'] == 'created'
    assert podctl('start', 'c1').out == 'c1'
    assert podctl.state('c1')['Status'] == 'running'
    podctl.ready('c1')
    assert podctl('stop', 'c1').out == 'c1'
    assert podctl.state('c1')['Status'] == 'exited'
    assert podctl.state('c1')['ExitCode'] == 0
    assert podctl('rm', 'c1').out in ('c1', identifier)
    assert podctl('container', 'exists', 'c1', check=False).code == 1


def test_start_attached_gives_output_and_status(podctl, image):
    podctl('create', '--name', 'c1', '--network=none', image, 'sh', '-c', 'echo hi; exit 3')
    result = podctl('start', '-a', 'c1', check=False)
    assert result.stdout == 'hi\n' and result.code == 3
    podctl('rm', 'c1')


def test_restart_makes_a_new_process(podctl, sleeper):
    first = podctl.pid(sleeper)
    podctl('restart', '-t', '1', sleeper)
    assert podctl.running(sleeper) and podctl.pid(sleeper) != first


def test_stop_twice_is_fine(podctl, sleeper):
    podctl('stop', sleeper)
    assert podctl('stop', sleeper).code == 0


def test_stop_timeout(podctl, image):
    podctl('run', '-d', '--name', 'deaf', '--network=none', '--stop-timeout', '0', image, '/probe', 'stubborn')
    podctl.ready('deaf')
    podctl('stop', 'deaf')
    assert podctl.state('deaf')['ExitCode'] == 137
    podctl('rm', 'deaf')


def test_kill_and_wait(podctl, sleeper):
    podctl('kill', sleeper)
    assert podctl('wait', sleeper).out == '137'


@pytest.mark.parametrize('name', ['TERM', 'SIGTERM', '15', 'term'])
def test_kill_signal_names(podctl, image, name):
    podctl('run', '-d', '--name', 'k1', '--network=none', image, '/probe', 'sleep')
    podctl.ready('k1')
    podctl('kill', '-s', name, 'k1')
    assert podctl('wait', 'k1').out == '0'
    podctl('rm', 'k1')


def test_rm_refuses_a_running_container(podctl, sleeper):
    result = podctl('rm', sleeper, check=False)
    assert result.code == 2 and result.stderr
    assert podctl.running(sleeper)


def test_rm_force(podctl, sleeper):
    podctl('rm', '-f', '-t', '0', sleeper)
    assert podctl('container', 'exists', sleeper, check=False).code == 1


def test_rm_of_what_systemd_units_say(podctl, image):
    podctl('run', '-d', '--name', 'u1', '--network=none', image, '/probe', 'sleep')
    assert podctl('rm', '-v', '-f', '-i', 'u1').code == 0
    assert podctl('rm', '-v', '-f', '-i', 'u1').code == 0


def test_ps_shows_only_running_unless_all(podctl, image, sleeper):
    podctl('create', '--name', 'c1', '--network=none', image, 'true')
    assert podctl('ps', '--format', '{{.Names}}').out == 's1'
    assert sorted(podctl('ps', '-a', '--format', '{{.Names}}').out.split()) == ['c1', 's1']
    rows = podctl.json('ps', '-a', '--format', 'json')
    assert sorted(row['Names'][0] for row in rows) == ['c1', 's1']
    assert {row['State'] for row in rows} == {'created', 'running'}
    podctl('rm', 'c1')


def test_ps_header_and_table(podctl, sleeper):
    lines = podctl('ps').stdout.split('\n')
    assert lines[0].split() == ['CONTAINER', 'ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'PORTS', 'NAMES']
    assert 's1' in lines[1] and 'Up' in lines[1]
    lines = podctl('ps', '--format', 'table {{.Names}} {{.Status}}').stdout.split('\n')
    assert lines[0].split() == ['NAMES', 'STATUS'] and lines[1].split()[0] == 's1'


def test_ps_filters(podctl, image, sleeper):
    podctl('run', '-d', '--name', 's2', '--label', 'a=b', '--network=none', image, '/probe', 'sleep')
    assert podctl('ps', '--filter', 'name=s2', '--format', '{{.Names}}').out == 's2'
    assert podctl('ps', '--filter', 'label=a=b', '--format', '{{.Names}}').out == 's2'
    assert podctl('ps', '--filter', 'status=exited', '--format', '{{.Names}}').out == ''
    podctl('rm', '-f', '-t', '0', 's2')


def test_ps_pod_column(podctl, image):
    podctl('run', '-d', '--pod', 'new:pp', '--name', 'm1', image, '/probe', 'sleep')
    assert podctl('ps', '--filter', 'name=m1', '--format', '{{.PodName}}').out == 'pp'
    podctl('pod', 'rm', '-f', '-t', '0', 'pp')


def test_inspect_fields(podctl, image, sleeper):
    data = podctl.inspect(sleeper)
    assert data['Name'] == 's1' and data['ImageName'] == image
    assert data['State']['Running'] is True and data['State']['Pid'] > 0
    assert data['Config']['Cmd'] == ['/probe', 'sleep']
    assert data['HostConfig']['NetworkMode'] == 'none'
    assert podctl('inspect', '--format', '{{.State.Status}} {{.Name}}', sleeper).out == 'running s1'
    assert json.loads(podctl('inspect', '-f', '{{json .Config.Cmd}}', sleeper).out) == ['/probe', 'sleep']
    assert podctl('inspect', '-f', '{{range .Config.Cmd}}<{{.}}>{{end}}', sleeper).out == '</probe><sleep>'


def test_logs(podctl, image):
    podctl('run', '-d', '--name', 'l1', '--network=none', image, 'sh', '-c', 'for i in 1 2 3 4 5; do echo line $i; done')
    podctl('wait', 'l1')
    assert podctl('logs', 'l1').stdout == ''.join(f'line {i}\n' for i in range(1, 6))
    assert podctl('logs', '--tail', '2', 'l1').stdout == 'line 4\nline 5\n'
    stamped = podctl('logs', '-t', '--tail', '1', 'l1').stdout
    assert stamped.endswith(' line 5\n') and stamped[:2] == '20'
    podctl('rm', 'l1')


def test_logs_keep_the_streams_apart(podctl, image):
    podctl('run', '-d', '--name', 'l1', '--network=none', image, 'sh', '-c', 'echo a; echo b >&2')
    podctl('wait', 'l1')
    result = podctl('logs', 'l1')
    assert result.stdout == 'a\n' and result.stderr == 'b\n'
    podctl('rm', 'l1')


def test_logs_follow_ends_with_the_container(podctl, image):
    podctl('run', '-d', '--name', 'l1', '--network=none', image, 'sh', '-c', 'echo a; sleep 0.5; echo b')
    assert podctl('logs', '-f', 'l1', timeout=10).stdout == 'a\nb\n'
    podctl('rm', 'l1')


def test_logs_long_lines_and_no_newline(podctl, image):
    podctl('run', '-d', '--name', 'l1', '--network=none', image, 'sh', '-c',
           'head -c 100000 /dev/zero | tr "\\0" x; echo; printf end')
    podctl('wait', 'l1')
    text = podctl('logs', 'l1').stdout
    assert text.startswith('x' * 100000 + '\n') and text.rstrip('\n').endswith('end')
    podctl('rm', 'l1')


def test_log_driver_none(podctl, image):
    podctl('run', '--name', 'l1', '--log-driver=none', '--network=none', image, 'echo', 'a')
    assert podctl('logs', 'l1', check=False).stdout == ''
    podctl('rm', 'l1')


def test_exec(podctl, sleeper):
    assert podctl('exec', sleeper, 'echo', 'hi').stdout == 'hi\n'
    assert podctl('exec', sleeper, '/probe', 'exit', '9', check=False).code == 9
    assert podctl('exec', '-i', sleeper, 'cat', input='abc').stdout == 'abc'
    assert podctl('exec', '-e', 'A=b', sleeper, 'sh', '-c', 'echo $A').stdout == 'b\n'
    assert podctl('exec', '-w', '/tmp', sleeper, 'pwd').stdout == '/tmp\n'
    assert podctl('exec', '-u', '1000', sleeper, 'id', '-u').stdout == '1000\n'


def test_exec_detached(podctl, sleeper):
    podctl('exec', '-d', sleeper, 'touch', '/tmp/made')
    wait_for(lambda: podctl('exec', sleeper, 'test', '-e', '/tmp/made', check=False).code == 0)


def test_exec_with_a_terminal(podctl, sleeper):
    script = f'{" ".join(podctl.words("exec", "-t", sleeper, "/probe"))}'
    done = subprocess.run(['script', '-qec', script, '/dev/null'], capture_output=True, text=True,
                          timeout=20, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and '"tty":true' in done.stdout


def test_run_with_a_terminal(podctl, image):
    script = ' '.join(podctl.words('run', '--rm', '-it', '--network=none', image, '/probe'))
    done = subprocess.run(['script', '-qec', script, '/dev/null'], capture_output=True, text=True,
                          timeout=20, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and '"tty":true' in done.stdout


def test_environment_user_workdir_hostname(podctl, image):
    facts = podctl.facts('--network=none', '-e', 'A=b c', '--env', 'EMPTY=', '--user', '1000:2000', '-w', '/tmp',
                         '--hostname', 'tower')
    assert 'A=b c' in facts['env'] and 'EMPTY=' in facts['env']
    assert facts['uids'] == [1000] * 3 and facts['gids'] == [2000] * 3
    assert facts['cwd'] == '/tmp' and facts['hostname'] == 'tower'


def test_user_by_name_has_its_groups(podctl, image):
    facts = podctl.facts('--network=none', '--user', 'user')
    assert facts['uids'] == [1000] * 3 and 2000 in facts['groups']
    assert 'HOME=/home' in facts['env']


def test_env_from_the_caller_and_from_a_file(podctl, image, tmp_path):
    (tmp_path / 'env').write_text('# comment\nONE=1\nTWO=two words\n')
    result = run(podctl, image, '/probe', options=['--env', 'CALLERS', '--env-file', tmp_path / 'env'],
                 env={**os.environ, 'CALLERS': 'value'})
    env = json.loads(result.stdout)['env']
    assert {'CALLERS=value', 'ONE=1', 'TWO=two words'} <= set(env)


def test_entrypoint(podctl, image):
    assert run(podctl, image, 'a', 'b', options=['--entrypoint', 'echo']).stdout == 'a b\n'
    assert run(podctl, image, 'c', options=['--entrypoint', '["echo", "x"]']).stdout == 'x c\n'


def test_bind_mount_and_read_only(podctl, image, tmp_path):
    (tmp_path / 'file').write_text('inside\n')
    assert run(podctl, image, 'cat', '/mnt/file', options=['-v', f'{tmp_path}:/mnt']).stdout == 'inside\n'
    run(podctl, image, 'touch', '/mnt/new', options=['-v', f'{tmp_path}:/mnt'])
    assert (tmp_path / 'new').exists()
    result = run(podctl, image, 'touch', '/mnt/other', options=['-v', f'{tmp_path}:/mnt:ro'], check=False)
    assert result.code == 1 and 'Read-only' in result.stderr


def test_tmpfs(podctl, image):
    text = run(podctl, image, 'sh', '-c', 'grep " /scratch " /proc/self/mountinfo',
               options=['--tmpfs', '/scratch:size=1m']).stdout
    assert ' tmpfs ' in text and 'size=1024k' in text


def test_read_only_root(podctl, image):
    assert run(podctl, image, 'touch', '/x', options=['--read-only'], check=False).code == 1
    run(podctl, image, 'touch', '/tmp/x', options=['--read-only'])


def test_rootfs_and_overlay(podctl, image, tmp_path, rootfs):
    assert podctl('run', '--rm', '--network=none', '--rootfs', f'{rootfs}:O', 'touch', '/written').code == 0
    assert not os.path.exists(f'{rootfs}/written')
    assert podctl('run', '--rm', '--network=none', '--rootfs', rootfs, 'echo', 'hi').stdout == 'hi\n'


def test_writes_do_not_reach_the_image(podctl, image):
    run(podctl, image, 'touch', '/x')
    assert run(podctl, image, 'test', '-e', '/x', check=False).code == 1


def test_cidfile_and_pidfile(podctl, image, tmp_path):
    podctl('run', '-d', '--name', 'f1', '--cidfile', tmp_path / 'cid', '--pidfile', tmp_path / 'pid', '--network=none',
           image, '/probe', 'sleep')
    assert (tmp_path / 'cid').read_text().strip() == podctl.inspect('f1')['Id']
    assert int((tmp_path / 'pid').read_text()) == podctl.pid('f1')
    podctl('rm', '-f', '-t', '0', 'f1')


def test_name_replace(podctl, image, sleeper):
    first = podctl.inspect(sleeper)['Id']
    podctl('run', '-d', '--replace', '--name', sleeper, '--network=none', image, '/probe', 'sleep')
    assert podctl.inspect(sleeper)['Id'] != first


def test_restart_policy_on_failure(podctl, image, tmp_path):
    podctl('run', '-d', '--name', 'r1', '--restart=on-failure:2', '--network=none', '-v', f'{tmp_path}:/mnt', image,
           'sh', '-c', 'echo run >> /mnt/count; exit 4')
    wait_for(lambda: (tmp_path / 'count').exists() and (tmp_path / 'count').read_text().count('run') == 3)
    wait_for(lambda: not podctl.running('r1'))
    assert podctl.state('r1')['ExitCode'] == 4 and podctl.inspect('r1')['RestartCount'] == 2
    podctl('rm', '-f', 'r1')


def test_restart_policy_ends_with_stop(podctl, image):
    podctl('run', '-d', '--name', 'r1', '--restart=always', '--network=none', image, '/probe', 'sleep')
    first = podctl.pid('r1')
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: podctl.running('r1') and podctl.pid('r1') not in (0, first))
    podctl.ready('r1')
    podctl('stop', 'r1')
    assert not podctl.running('r1')
    podctl('rm', 'r1')


def test_wait_condition_and_several(podctl, image):
    podctl('run', '-d', '--name', 'w1', '--network=none', image, '/probe', 'exit', '3')
    podctl('run', '-d', '--name', 'w2', '--network=none', image, '/probe', 'exit', '4')
    assert podctl('wait', 'w1', 'w2').out.split() == ['3', '4']
    podctl('rm', 'w1', 'w2')


def test_init_process_of_the_container_is_pid_1(podctl, image):
    facts = podctl.facts('--network=none')
    assert facts['pid'] == 1 and facts['ppid'] == 0


def test_init_option_reaps(podctl, image):
    result = run(podctl, image, 'sh', '-c', 'echo $$', options=['--init'], check=False)
    if result.code == 125:
        pytest.skip('--init is not there: ' + result.stderr.strip())
    assert result.out != '1'


def test_supervisor_death_does_not_hide_the_end(podctl, image, sleeper):
    """ps never says running of what has ended."""
    pid = podctl.pid(sleeper)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: podctl.state(sleeper)['Status'] == 'exited')
    assert podctl.state(sleeper)['ExitCode'] == 137


def test_version_and_info(podctl):
    assert podctl('version', '--format', '{{.Client.Version}}').out
    assert podctl('--version').out
    assert podctl.json('info', '--format', 'json')['host']


@pytest.mark.parametrize('words', [(), ('run',), ('pod',), ('pod', 'create'), ('image',), ('ps',), ('exec',)])
def test_help(podctl, words):
    result = podctl(*words, '--help')
    assert 'Usage:' in result.stdout and not result.stderr


def test_restart_in_the_foreground(podctl, image):
    """Every run's output reaches the caller, and the last run's status."""
    result = podctl('run', '--restart', 'on-failure:2', '--network=none', '--name', 'again', image, 'sh', '-c',
                    'echo run; echo wrong >&2; exit 3', check=False)
    assert (result.code, result.stdout, result.stderr) == (3, 'run\n' * 3, 'wrong\n' * 3)
    podctl('rm', 'again')
