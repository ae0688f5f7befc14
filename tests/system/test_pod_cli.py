# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pods on the command line."""
import os

import pytest

from lib.command import wait_for


@pytest.fixture
def pod(podctl, image):
    podctl('pod', 'create', '--name', 'p1')
    yield 'p1'
    podctl('pod', 'rm', '-f', '-i', '-t', '0', 'p1')


def member_states(podctl, pod):
    return {row['Name']: row['State'] for row in podctl.pod_inspect(pod)['Containers']}


def pod_state(podctl, pod):
    return podctl.pod_inspect(pod)['State']


def test_create_prints_the_id(podctl, image):
    identifier = podctl('pod', 'create', '--name', 'p2').out
    assert len(identifier) == 64 and int(identifier, 16)
    assert podctl.pod_inspect('p2')['Id'] == identifier
    assert podctl('pod', 'rm', 'p2').out == identifier
    assert podctl('pod', 'exists', 'p2', check=False).code == 1


def test_name_is_made_up_when_none_is_given(podctl, image):
    identifier = podctl('pod', 'create').out
    assert podctl.pod_inspect(identifier)['Name']
    podctl('pod', 'rm', identifier[:12])


def test_name_may_be_positional(podctl, image):
    podctl('pod', 'create', 'p3')
    assert podctl('pod', 'exists', 'p3').code == 0
    podctl('pod', 'rm', 'p3')


def test_created_pod_does_not_run_yet(podctl, pod):
    assert pod_state(podctl, pod) == 'Created'
    podctl('pod', 'start', pod)
    assert pod_state(podctl, pod) == 'Running'


def test_add_starts_the_pod_and_the_member(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'm1'])
    assert pod_state(podctl, pod) == 'Running'
    assert podctl.running('m1')
    assert podctl.inspect('m1')['Pod'] == podctl.pod_inspect(pod)['Id']


def test_run_with_pod_is_the_same(podctl, image, pod):
    podctl('run', '-d', '--pod', pod, '--name', 'm1', image, '/probe', 'sleep')
    assert member_states(podctl, pod)['m1'] == 'running'


def test_run_with_pod_new_makes_the_pod(podctl, image):
    podctl('run', '-d', '--pod', 'new:fresh', '--name', 'm1', image, '/probe', 'sleep')
    assert pod_state(podctl, 'fresh') == 'Running'
    podctl('pod', 'rm', '-f', '-t', '0', 'fresh')


def test_create_with_pod_waits_for_start(podctl, image, pod):
    podctl('create', '--pod', pod, '--name', 'm1', image, '/probe', 'sleep')
    assert member_states(podctl, pod)['m1'] == 'created'
    podctl('pod', 'start', pod)
    assert member_states(podctl, pod)['m1'] == 'running'


def test_stop_start_restart(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'm1'])
    podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'm2'])
    podctl.ready('m1', 'm2')
    podctl('pod', 'stop', pod)
    assert pod_state(podctl, pod) in ('Exited', 'Stopped')
    assert member_states(podctl, pod)['m1'] == 'exited'
    podctl('pod', 'start', pod)
    assert pod_state(podctl, pod) == 'Running'
    first = podctl.pid('m1')
    podctl('pod', 'restart', pod)
    assert podctl.running('m1') and podctl.pid('m1') != first


def test_clean_stop_keeps_the_exit_code(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'm1'])
    podctl.ready('m1')
    podctl('pod', 'stop', pod)
    assert podctl.state('m1')['ExitCode'] == 0


def test_stop_kills_the_deaf_after_the_timeout(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'stubborn', options=['--name', 'm1'])
    podctl.ready('m1')
    podctl('pod', 'stop', '-t', '1', pod)
    assert podctl.state('m1')['ExitCode'] == 137


def test_kill_sends_the_signal(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'm1'])
    podctl.ready('m1')
    podctl('pod', 'kill', '--signal', 'TERM', pod)
    wait_for(lambda: not podctl.running('m1'))
    assert podctl.state('m1')['ExitCode'] == 0


def test_rm_refuses_while_a_member_runs(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'sleep')
    result = podctl('pod', 'rm', pod, check=False)
    assert result.code != 0 and result.stderr
    assert pod_state(podctl, pod) == 'Running'


def test_rm_force_always_ends_in_absence(podctl, image):
    podctl('pod', 'create', '--name', 'p4')
    podctl.pod_add('p4', image, '/probe', 'stubborn', options=['--name', 'm1'])
    podctl('pod', 'rm', '-f', '-t', '0', 'p4')
    assert podctl('pod', 'exists', 'p4', check=False).code == 1
    assert podctl('container', 'exists', 'm1', check=False).code == 1


def test_rm_ignore(podctl, image):
    assert podctl('pod', 'rm', '--ignore', 'nothing').code == 0
    assert podctl('pod', 'rm', '--ignore', '--force', 'nothing').code == 0
    assert podctl('pod', 'stop', '--ignore', 'nothing').code == 0


def test_rm_all(podctl, image):
    for name in ('a1', 'a2'):
        podctl('pod', 'create', '--name', name)
    podctl('pod', 'rm', '-a')
    assert podctl('pod', 'ps', '-q').out == ''


def test_replace(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'm1'])
    old = podctl.pod_inspect(pod)['Id']
    new = podctl('pod', 'create', '--replace', '--name', pod).out
    assert new != old and podctl.pod_inspect(pod)['Id'] == new
    assert podctl('container', 'exists', 'm1', check=False).code == 1


def test_ps_lists_pods(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'sleep')
    rows = podctl.json('pod', 'ps', '--format', 'json')
    row = next(row for row in rows if row['Name'] == pod)
    assert row['Status'] == 'Running' and len(row['Containers']) == 2
    assert podctl('pod', 'ps', '--format', '{{.Name}} {{.Status}}').out == 'p1 Running'
    assert podctl('pod', 'ps', '-q', '--no-trunc').out == podctl.pod_inspect(pod)['Id']
    header = podctl('pod', 'ps').stdout.split('\n')[0].split()
    assert header[:3] == ['POD', 'ID', 'NAME']


def test_ps_filter(podctl, image, pod):
    podctl('pod', 'create', '--name', 'other')
    assert podctl('pod', 'ps', '--filter', 'name=other', '--format', '{{.Name}}').out == 'other'
    podctl('pod', 'rm', 'other')


def test_inspect_format(podctl, pod):
    assert podctl('pod', 'inspect', '--format', '{{.Name}}', pod).out == 'p1'
    assert podctl('pod', 'inspect', '-f', '{{.NumContainers}}', pod).out == '1'


def test_labels(podctl, image):
    podctl('pod', 'create', '--name', 'lab', '--label', 'a=b', '-l', 'c=d')
    assert podctl.pod_inspect('lab')['Labels'] == {'a': 'b', 'c': 'd'}
    podctl('pod', 'rm', 'lab')


def test_hostname_and_hosts(podctl, image):
    podctl('pod', 'create', '--name', 'hosts', '--hostname', 'castle', '--add-host', 'peer:10.9.8.7')
    podctl.pod_add('hosts', image, '/probe', 'sleep', options=['--name', 'm1'])
    assert podctl.exec_facts('m1')['hostname'] == 'castle'
    lines = podctl('exec', 'm1', 'cat', '/etc/hosts').stdout
    assert '10.9.8.7' in lines and 'peer' in lines and 'localhost' in lines
    podctl('pod', 'rm', '-f', '-t', '0', 'hosts')


def test_id_file_and_infra_pid_file(podctl, image, tmp_path):
    podctl('pod', 'create', '--name', 'files', '--pod-id-file', tmp_path / 'id',
           '--infra-conmon-pidfile', tmp_path / 'pid')
    assert (tmp_path / 'id').read_text().strip() == podctl.pod_inspect('files')['Id']
    podctl('pod', 'start', 'files')
    pid = int((tmp_path / 'pid').read_text())
    assert os.path.isdir(f'/proc/{pid}')
    podctl('pod', 'rm', '-f', 'files')
    wait_for(lambda: not os.path.isdir(f'/proc/{pid}'))


def test_pod_without_infra(podctl, image):
    podctl('pod', 'create', '--infra=false', '--name', 'bare')
    assert podctl.pod_inspect('bare')['NumContainers'] == 0
    podctl('pod', 'rm', 'bare')


def test_infra_name(podctl, image):
    podctl('pod', 'create', '--name', 'named', '--infra-name', 'its-infra')
    assert podctl.inspect('its-infra')['Id'] == podctl.pod_inspect('named')['InfraContainerID']
    podctl('pod', 'rm', 'named')


def test_logs_of_a_pod(podctl, image, pod):
    podctl.pod_add(pod, image, 'sh', '-c', 'echo from-one', options=['--name', 'm1'])
    podctl.pod_add(pod, image, 'sh', '-c', 'echo from-two', options=['--name', 'm2'])
    podctl('wait', 'm1', 'm2')
    text = podctl('pod', 'logs', pod).stdout
    assert 'from-one' in text and 'from-two' in text
    text = podctl('pod', 'logs', '-c', 'm1', pod).stdout
    assert 'from-one' in text and 'from-two' not in text


def test_top(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'm1'])
    text = podctl('pod', 'top', pod).stdout
    assert '/probe' in text and 'PID' in text.split('\n')[0]


def test_exit_policy_stop(podctl, image):
    podctl('pod', 'create', '--name', 'ends', '--exit-policy', 'stop')
    podctl.pod_add('ends', image, '/probe', 'exit', '0')
    wait_for(lambda: pod_state(podctl, 'ends') in ('Exited', 'Stopped'))
    podctl('pod', 'rm', '-f', 'ends')


def test_exit_policy_continue_is_the_default(podctl, image, pod):
    name = podctl.pod_add(pod, image, '/probe', 'exit', '0')
    podctl('wait', name)
    assert pod_state(podctl, pod) in ('Running', 'Degraded')


def test_a_member_that_dies_leaves_its_sibling_alone(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'm1'])
    podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'm2', '--restart=no'])
    pid = podctl.pid('m1')
    podctl('kill', 'm2')
    wait_for(lambda: not podctl.running('m2'))
    assert podctl.running('m1') and podctl.pid('m1') == pid
    assert pod_state(podctl, pod) == 'Degraded'


def test_short_ids_and_ambiguity(podctl, image, pod):
    identifier = podctl.pod_inspect(pod)['Id']
    assert podctl.pod_inspect(identifier[:8])['Name'] == pod


def test_containers_of_a_pod_are_removed_alone(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'm1'])
    podctl('rm', '-f', '-t', '0', 'm1')
    assert 'm1' not in member_states(podctl, pod)


def test_infra_is_not_removed_alone(podctl, image, pod):
    infra = podctl.pod_inspect(pod)['InfraContainerID']
    podctl('rm', '-f', infra, check=False)
    assert podctl('pod', 'exists', pod).code == 0
