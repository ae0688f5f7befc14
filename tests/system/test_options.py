# SPDX-License-Identifier: LGPL-2.1-or-later
"""Options have an effect, or are refused before anything is made."""
import os

import pytest


@pytest.fixture
def created(podctl, image):
    """Makes the container c1 with the options given; its `inspect`."""
    def create(*options):
        podctl('create', '--name', 'c1', '--network=none', *options, image, 'true')
        return podctl.inspect('c1')
    yield create
    podctl('rm', '-f', '-i', 'c1')


def test_label_file(created, tmp_path):
    path = tmp_path / 'labels'
    path.write_text('# note\n  one=1\ntwo=from the file\n\nbare\n')
    labels = created('--label-file', path, '--label', 'two=2')['Config']['Labels']
    assert labels == {'one': '1', 'two': '2', 'bare': ''}


def test_label_file_that_is_bad(podctl, image, tmp_path):
    path = tmp_path / 'labels'
    path.write_text('=value\n')
    assert str(path) in podctl.fails(125, 'create', '--label-file', path, image, 'true')
    assert 'gone' in podctl.fails(125, 'create', '--label-file', tmp_path / 'gone', image, 'true')


def test_expose(created):
    config = created('--expose', '80', '--expose', '7000-7001/udp')['Config']
    assert sorted(config['ExposedPorts']) == ['7000/udp', '7001/udp', '80/tcp']


def test_dns_none_leaves_the_image_its_file(podctl, image):
    mounts = podctl('run', '--rm', '--network=none', '--dns=none', image, 'cat', '/proc/self/mountinfo').stdout
    assert '/etc/hosts ' in mounts and '/etc/resolv.conf ' not in mounts


def test_umask_holds_for_exec_too(podctl, image):
    podctl('run', '-d', '--name', 'u1', '--network=none', '--umask', '0077', image, '/probe', 'sleep')
    assert podctl.exec_facts('u1')['umask'] == 0o77
    podctl('rm', '-f', '-t', '0', 'u1')


def test_hostname_is_not_what_the_environment_says(podctl, image):
    script = 'echo $HOSTNAME; hostname; cat /etc/hostname; grep -c other /etc/hosts'
    result = podctl('run', '--rm', '--network=none', '--hostname', 'real', '-e', 'HOSTNAME=other', image, 'sh', '-c',
                    script, check=False)
    assert result.out.split() == ['other', 'real', 'real', '0']


def test_hostname_of_the_host(podctl, image):
    result = podctl('run', '--rm', '--network=none', '--uts=host', image, 'sh', '-c', 'echo $HOSTNAME; cat /etc/hostname')
    assert result.out.split() == [os.uname().nodename] * 2


def test_hostname_is_known_to_exec(podctl, image):
    podctl('run', '-d', '--name', 'h1', '--network=none', '--hostname', 'real', image, '/probe', 'sleep')
    assert podctl('exec', 'h1', 'sh', '-c', 'echo $HOSTNAME').out == 'real'
    assert podctl.inspect('h1')['Config']['Hostname'] == 'real'
    podctl('rm', '-f', '-t', '0', 'h1')


def test_restart_policy_of_the_pod(podctl, image):
    podctl('pod', 'create', '--name', 'p1', '--network=none', '--restart=on-failure:2')
    podctl.pod_add('p1', image, '/probe', 'exit', '3', options=['--name', 'm1'])
    podctl('wait', 'm1')
    assert podctl.inspect('m1')['RestartCount'] == 2
    assert podctl.inspect('m1')['HostConfig']['RestartPolicy'] == {'Name': 'on-failure', 'MaximumRetryCount': 2}
    podctl('run', '--name', 'm2', '--pod', 'p1', '--restart=no', image, '/probe', 'exit', '3', check=False)
    assert podctl.inspect('m2')['RestartCount'] == 0
    podctl('pod', 'rm', '-f', '-t', '0', 'p1')


def test_a_new_pod_gets_all_options_that_are_the_pods(podctl, image):
    script = 'cat /etc/resolv.conf; ip addr show eth0; cat /sys/class/net/eth0/address'
    result = podctl('run', '--name', 'm1', '--pod', 'new:p1', '--dns', '192.0.2.1', '--dns-search', 'a.example', '--ip',
                    '10.87.4.5', '--mac-address', '02:00:00:00:00:07', image, 'sh', '-c', script)
    for word in ('nameserver 192.0.2.1', 'search a.example', '10.87.4.5/', '02:00:00:00:00:07'):
        assert word in result.stdout
    podctl('pod', 'rm', '-f', '-t', '0', 'p1')


def test_relabelling_without_selinux_is_nothing(podctl, image, tmp_path):
    if os.path.exists('/sys/fs/selinux/enforce'):
        pytest.skip('SELinux is on')
    (tmp_path / 'file').write_text('here')
    for option in 'zZ':
        result = podctl('run', '--rm', '--network=none', '-v', f'{tmp_path}:/data:ro,{option}', image, 'cat', '/data/file')
        assert result.out == 'here'


def test_files_are_relative_to_the_caller(podctl, image, tmp_path):
    (tmp_path / 'here').mkdir()
    (tmp_path / 'there').mkdir()
    podctl('create', '--name', 'f1', '--network=none', '--pidfile', 'pid', '--log-driver', 'k8s-file', '--log-opt',
           'path=log', image, 'echo', 'hi', cwd=tmp_path / 'here')
    podctl('start', '-a', 'f1', cwd=tmp_path / 'there')
    assert sorted(os.listdir(tmp_path / 'here')) == ['log', 'pid'] and not os.listdir(tmp_path / 'there')
    podctl('rm', 'f1')


@pytest.mark.parametrize('options', [
    ['--cap-add', 'nonsense'],
    ['--security-opt', 'label=type:x_t'],
    ['--security-opt', 'mask=relative'],
    ['--network', 'nowhere'],
    ['--network', 'bridge:alias=x'],
    ['--log-opt', 'tag={{.Name}}'],
    ['--log-opt', 'colour=red'],
])
def test_refused_before_anything_is_made(podctl, image, options):
    podctl.fails(125, 'create', '--name', 'no', *options, image, 'true')
    assert podctl('container', 'exists', 'no', check=False).code == 1


def test_no_command_is_found_out_at_once(podctl, tmp_path):
    assert 'no command' in podctl.fails(125, 'create', '--name', 'no', '--rootfs', tmp_path)
    assert podctl('container', 'exists', 'no', check=False).code == 1


@pytest.mark.parametrize('options', [
    ['--restart=always'], ['--no-hosts'], ['-v', '/tmp:/t'], ['--sysctl', 'net.a=1'], ['--shm-size=1m'],
    ['--security-opt', 'no-new-privileges'],
])
def test_a_pod_without_infra_refuses_what_it_would_forget(podctl, options):
    assert '--infra=false' in podctl.fails(125, 'pod', 'create', '--infra=false', *options)


def test_a_pod_that_was_made_for_nothing_goes(podctl, image):
    podctl('create', '--name', 'taken', '--network=none', image, 'true')
    podctl.fails(125, 'create', '--name', 'taken', '--pod', 'new:p1', image, 'true')
    assert podctl('pod', 'exists', 'p1', check=False).code == 1
    podctl('rm', 'taken')
