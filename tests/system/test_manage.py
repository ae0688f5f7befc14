# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names, ports, copies and prunes: rename, port, clone, container prune, pod prune."""
import pytest


@pytest.fixture
def pod(podctl, image):
    podctl('pod', 'create', '--name', 'p1', '-p', '127.0.0.1:18080-18082:80-82', '-p', '127.0.0.1:15353:53/udp')
    yield 'p1'
    podctl('pod', 'rm', '-f', '-i', '-t', '0', 'p1')


def test_rename_of_a_running_container(podctl, image):
    identifier = podctl('run', '-d', '--name', 'before', image, '/probe', 'sleep').out
    podctl('rename', 'before', 'after')
    assert podctl('container', 'exists', 'before', check=False).code == 1
    assert podctl.inspect('after')['Id'] == identifier
    assert podctl('ps', '--format', '{{.Names}}').out == 'after'
    podctl('run', '--rm', '--name', 'before', image, '/probe', 'exit', '0')
    podctl('rm', '-f', '-t', '0', 'after')


def test_rename_refuses_what_is_taken_or_no_name(podctl, image):
    podctl('create', '--name', 'one', image, '/probe', 'sleep')
    podctl('create', '--name', 'two', image, '/probe', 'sleep')
    assert '"two"' in podctl.fails(125, 'rename', 'one', 'two')
    assert 'a/b' in podctl.fails(125, 'rename', 'one', 'a/b')
    assert 'nobody' in podctl.fails(125, 'rename', 'nobody', 'three')
    assert podctl.inspect('one')['Name'].strip('/') == 'one'
    podctl('rm', 'one', 'two')


def test_port_of_a_member_is_its_pods(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'm1'])
    lines = podctl('port', 'm1').out.split('\n')
    assert sorted(lines) == ['53/udp -> 127.0.0.1:15353', '80/tcp -> 127.0.0.1:18080', '81/tcp -> 127.0.0.1:18081',
                             '82/tcp -> 127.0.0.1:18082']
    assert podctl('port', 'm1', '81').out == '127.0.0.1:18081'
    assert podctl('port', 'm1', '53/udp').out == '127.0.0.1:15353'
    short = podctl.inspect('m1')['Id'][:12]
    assert f'{short}\t80/tcp -> 127.0.0.1:18080' in podctl('port', '--all').stdout.split('\n')
    assert '"53"' in podctl.fails(125, 'port', 'm1', '53')
    assert '"x/tcp"' in podctl.fails(125, 'port', 'm1', 'x/tcp')
    assert '"80/icmp"' in podctl.fails(125, 'port', 'm1', '80/icmp')


def test_port_without_any_prints_nothing(podctl, image):
    podctl('create', '--name', 'quiet', image, '/probe', 'sleep')
    assert podctl('port', 'quiet').out == ''
    podctl('rm', 'quiet')


def test_prune_takes_what_does_not_run(podctl, image):
    keep = podctl('run', '-d', '--name', 'keep', image, '/probe', 'sleep').out
    made = podctl('create', '--name', 'made', image, '/probe', 'sleep').out
    podctl('run', '--name', 'ended', image, '/probe', 'exit', '0')
    labelled = podctl('create', '--label', 'stay=yes', image, '/probe', 'sleep').out
    assert podctl('container', 'prune', input='n\n').out.endswith('[y/N]')
    assert len(podctl('ps', '-aq').out.split()) == 4
    removed = podctl('container', 'prune', '-f', '--filter', 'label!=stay').out.split()
    assert made in removed and len(removed) == 2 and labelled not in removed
    assert podctl('container', 'prune', '--filter', 'until=24h', input='y\n').out.endswith('[y/N]')
    assert podctl('container', 'prune', input='y\n').out.split()[-1] == labelled
    assert podctl('ps', '-aq', '--no-trunc').out == keep
    assert 'until=x' in podctl.fails(125, 'container', 'prune', '-f', '--filter', 'until=x')
    podctl('rm', '-f', '-t', '0', 'keep')


def test_pod_prune_takes_stopped_pods_with_their_members(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'm1'])
    stopped = podctl('pod', 'create', '--name', 'p2').out
    podctl.pod_add('p2', image, '/probe', 'sleep', options=['--name', 'm2'])
    podctl('pod', 'stop', '-t', '0', 'p2')
    assert podctl('pod', 'prune', '-f').out == stopped
    assert podctl('pod', 'exists', 'p2', check=False).code == 1
    assert podctl('container', 'exists', 'm2', check=False).code == 1
    assert podctl.running('m1')


def test_container_clone_takes_what_was_asked_for(podctl, image):
    podctl('create', '--name', 'model', '--env', 'A=1', '--env', 'B=2', '--hostname', 'h1', '--label', 'k=v',
           image, '/probe', 'env')
    podctl('container', 'clone', 'model')
    copy = podctl.inspect('model-clone')
    assert 'A=1' in copy['Config']['Env'] and copy['Config']['Hostname'] == 'h1'
    assert copy['Config']['Labels']['k'] == 'v'
    assert copy['Image'] == podctl.inspect('model')['Image']
    podctl('container', 'clone', '--env', 'A=3', 'model', 'other')
    assert 'A=3' in podctl.inspect('other')['Config']['Env']
    assert '"other"' in podctl.fails(125, 'container', 'clone', 'model', 'other')
    assert podctl('container', 'clone', '--destroy', 'other', 'last').out == podctl.inspect('last')['Id']
    assert podctl('container', 'exists', 'other', check=False).code == 1
    podctl('rm', 'model', 'model-clone', 'last')


def test_pod_clone_copies_members(podctl, image):
    podctl('pod', 'create', '--name', 'origin', '--label', 'k=v')
    podctl.pod_add('origin', image, '/probe', 'sleep', options=['--name', 'c1'])
    copy = podctl('pod', 'clone', '--start', 'origin').out
    data = podctl.pod_inspect('origin-clone')
    assert data['Id'] == copy and data['Labels'] == {'k': 'v'}
    assert podctl.running('c1') and podctl.running('c1-clone')
    assert podctl.inspect('c1-clone')['Pod'] == copy
    podctl('pod', 'clone', '--destroy', '--name', 'third', 'origin-clone')
    assert podctl('pod', 'exists', 'origin-clone', check=False).code == 1
    assert not podctl.running('c1-clone-clone')
    podctl('pod', 'rm', '-f', '-t', '0', 'origin', 'third')


def test_inspect_has_podmans_shapes(podctl, image):
    """Templates of scripts: lists where podman has lists, and objects also in containers that never ran."""
    podctl('create', '--name', 'c1', '--entrypoint', '["echo","a"]', image, 'b')
    config = podctl.inspect('c1')['Config']
    assert (config['Entrypoint'], config['Cmd']) == (['echo', 'a'], ['b'])
    assert podctl('inspect', '--format', '{{json .HostConfig.PortBindings}} {{json .NetworkSettings.Ports}}', 'c1').out \
        == '{} {}'
    podctl('create', '--name', 'c2', image, 'true')
    config = podctl.inspect('c2')['Config']
    assert (config['Entrypoint'], config['Cmd']) == (None, ['true'])
    podctl('rm', 'c1', 'c2')


def test_an_unknown_state_is_no_filter(podctl, image, pod):
    assert '"status=bogus"' in podctl.fails(125, 'ps', '-a', '--filter', 'status=bogus')
    assert '"status=bogus"' in podctl.fails(125, 'pod', 'ps', '--filter', 'status=bogus')
    assert podctl('pod', 'start', pod).out == pod
    assert podctl('pod', 'stop', pod).out == pod
