# SPDX-License-Identifier: LGPL-2.1-or-later
"""What images, names and payloads say is data, never configuration (security.md B8, B10)."""
import json
import os
import re
import shutil
import subprocess

import pytest

from lib import images
from lib.command import IS_PODMAN

pytestmark = pytest.mark.skipif(IS_PODMAN, reason='about podctl itself')

# Words that other programs act on when they stand in labels or annotations.
KEYS = {
    'io.podman.annotations.autoremove': 'TRUE', 'io.podman.annotations.privileged': 'TRUE',
    'io.podman.annotations.seccomp': 'unconfined', 'io.podman.annotations.label': 'disable',
    'io.containers.autoupdate': 'registry', 'io.containers.trace-syscall': 'of:/tmp/podctl-test-trace',
    'io.kubernetes.cri-o.TTY': 'true', 'io.kubernetes.cri-o.cgroup2-mount-hierarchy-rw': 'true',
    'run.oci.hooks.stdout': '/tmp/podctl-test-hook', 'run.oci.keep_original_groups': '1',
    'run.oci.systemd.force_cgroup_v1': '/sys/fs/cgroup', 'run.oci.mount_context_type': 'context',
    'run.oci.handler': 'krun', 'run.oci.delegate-cgroup': '..', 'run.oci.seccomp_bpf_file': '/dev/null',
    'org.systemd.property.ExecStart': "'/bin/true'", 'org.systemd.property.CPUWeight': '1',
    'org.criu.config': '/etc/shadow', 'com.docker.compose.project': 'x', 'PODMAN_SYSTEMD_UNIT': 'evil.service',
    'io.containerd.runc.log': 'binary:///bin/touch', 'cgroup': '/', 'log-driver': 'none',
}
PROGRAMS = ('/usr/bin/podctl', '/usr/lib/podctl/podctl-supervisor', '/usr/lib/podctl/podctl-exec')


def sandbox(facts):
    """The facts that differ from run to run are left out."""
    kept = {key: value for key, value in facts.items() if key not in ('Environ', 'environ', 'environment', 'hostname',
                                                                      'namespaces', 'pid', 'cgroup', 'keyring')}
    return re.sub(r'\d{2,}', 'N', re.sub(r'[0-9a-f]{12,64}', 'ID', json.dumps(kept, sort_keys=True)))


@pytest.fixture
def entries(rootfs):
    with open(f'{rootfs}/probe', 'rb') as stream:
        return {'probe': stream.read(), 'proc': None, 'sys': None, 'dev': None}


@pytest.fixture
def labelled(podctl, image, entries, tmp_path):
    """An image that carries every one of the words as a label."""
    path = str(tmp_path / 'image.tar')
    images.docker_archive(path, 'localhost/labelled:1', [images.layer(entries)], Labels=KEYS, Cmd=['/probe'])
    podctl('image', 'load', '-i', path)
    yield 'localhost/labelled:1'
    podctl('image', 'rm', '-f', 'localhost/labelled:1')


def vuln_B8_02_labels_of_an_image_change_nothing(podctl, labelled, entries, tmp_path):
    path = str(tmp_path / 'plain.tar')
    images.docker_archive(path, 'localhost/plain:1', [images.layer(entries)], Cmd=['/probe'])
    podctl('image', 'load', '-i', path)
    want = podctl.json('run', '--rm', '--network=none', 'localhost/plain:1')
    have = podctl.json('run', '--rm', '--network=none', labelled)
    assert sandbox(have) == sandbox(want)
    podctl('run', '-d', '--name', 'c1', '--network=none', labelled, '/probe', 'sleep')
    data = podctl.inspect('c1')
    assert data['HostConfig']['LogConfig']['Type'] in ('k8s-file', 'journald')
    assert data['Config']['Labels']['run.oci.handler'] == 'krun'
    podctl('rm', '-f', '-t', '0', 'c1')
    podctl('image', 'rm', 'localhost/plain:1')
    assert not os.path.exists('/tmp/podctl-test-trace') and not os.path.exists('/tmp/podctl-test-hook')


def vuln_B8_03_annotations_change_nothing(podctl, image):
    """security: B8-04"""
    words = [word for key, value in KEYS.items() for word in ('--annotation', f'{key}={value}')]
    assert sandbox(podctl.facts('--network=none', *words)) == sandbox(podctl.facts('--network=none'))
    assert not os.path.exists('/tmp/podctl-test-hook')
    for program in PROGRAMS:
        with open(program, 'rb') as stream:
            text = stream.read()
        for word in (b'run.oci.', b'org.systemd.property', b'org.criu', b'io.podman.annotations.privileged'):
            assert word not in text, (program, word)


@pytest.mark.parametrize('value', ['a\nb', 'a\rb', 'x\x0b', 'quote"\\\'', '{"a":1}', '\u2028', '%n %h $PATH `id`', ' '])
def vuln_B8_07_values_stay_one_value(podctl, image, value):
    data = podctl.facts('--network=none', '--env', f'ODD={value}', '--label', f'odd={value}')
    # the probe shows bytes
    assert f'ODD={value}'.encode().decode('latin-1') in data['env']
    podctl('create', '--name', 'c1', '--network=none', '--label', f'odd={value}', '--env', f'ODD={value}', image, 'true')
    config = podctl.inspect('c1')['Config']
    assert config['Labels']['odd'] == value and f'ODD={value}' in config['Env']
    podctl('rm', 'c1')


@pytest.mark.parametrize('option,value', [('--add-host', 'a\nb:10.0.0.1'), ('--add-host', 'a b:10.0.0.1'),
                                          ('--add-host', 'a:10.0.0.1\n10.0.0.2 b'), ('--hostname', 'a\nb'),
                                          ('--hostname', 'a b'), ('--dns-search', 'a\nnameserver 1.2.3.4'),
                                          ('--dns-option', 'x\nnameserver 1.2.3.4'), ('--dns', '1.2.3.4\nsearch x'),
                                          ('--name', 'a\nb'), ('--name', '../x'), ('--name', 'a/b'), ('--name', '-x')])
def vuln_B8_07_no_line_is_added(podctl, image, option, value):
    """security: B8-10"""
    podctl.fails(125, 'run', '--rm', '--network=none', f'{option}={value}', image, 'true')


@pytest.mark.parametrize('template', ['{{env "HOME"}}', '{{readFile "/etc/passwd"}}', '{{exec "id"}}',
                                      '{{template "x"}}', '{{call .}}', '{{define "x"}}{{end}}'])
def vuln_B8_08_templates_reach_nothing(podctl, image, template):
    podctl('create', '--name', 'c1', '--network=none', image, 'true')
    line = podctl.fails(125, 'inspect', '--format', template, 'c1')
    assert os.environ.get('HOME', '/root') not in line or '{{' in line
    podctl('rm', 'c1')


def vuln_B8_08_image_text_is_no_template(podctl, image):
    podctl('create', '--name', 'c1', '--network=none', '--label', 'x={{.Id}}', image, 'echo', '{{.Name}}')
    assert podctl('inspect', '--format', '{{index .Config.Labels "x"}}', 'c1').out == '{{.Id}}'
    assert '{{.Name}}' in podctl('ps', '-a', '--no-trunc', '--format', '{{.Command}}').out
    podctl('rm', 'c1')


@pytest.mark.parametrize('name', ['..', '.', '', 'a b', 'a\x1b[31m', '-rf', 'x' * 256, 'ä', 'a:b', 'a@b', '$HOME', '*'])
def vuln_B8_10_names(podctl, image, name):
    podctl.fails(125, 'create', f'--name={name}', image, 'true') if name else None
    podctl.fails(125, 'pod', 'create', f'--name={name}') if name else None
    assert podctl('ps', '-aq').out == '' and podctl('pod', 'ps', '-q').out == ''


def vuln_B8_10_names_win_over_ids(podctl, image):
    first = podctl('create', '--name', 'c1', image, 'true').out
    second = podctl('create', '--name', first[:4], image, 'true').out
    assert podctl.inspect(first[:4])['Id'] == second
    assert podctl.inspect(first[:12])['Id'] == first
    podctl('rm', 'c1', second)


def vuln_B8_11_words_do_not_become_options(podctl, image, rootfs_tar, tmp_path):
    """A file whose name looks like an option is a file for skopeo and tar alike."""
    path = tmp_path / '--help'
    shutil.copy(rootfs_tar, path)
    identifier = podctl('image', 'import', f'./{path.name}', 'localhost/dash:1', cwd=str(tmp_path)).out
    assert identifier
    podctl('image', 'rm', 'localhost/dash:1')
    podctl.fails(125, 'image', 'tag', image, '--', '-x:latest')
    result = podctl('image', 'load', '-i', f'./{path.name}', cwd=str(tmp_path), check=False)
    assert result.code == 125 and 'Usage' not in result.stdout + result.stderr


def vuln_B10_02_bytes_of_the_payload_pass(podctl, image):
    wanted = bytes(range(1, 256)).replace(b'\n', b'') + b'\n'
    octal = ''.join(f'\\{byte:03o}' for byte in wanted)
    for words in (('run', '--rm', '--network=none'), ):
        process = subprocess.run(podctl.words(*words, image, 'printf', octal), stdout=subprocess.PIPE, check=True)
        assert process.stdout == wanted
    podctl('run', '--name', 'c1', '--network=none', image, 'printf', octal)
    process = subprocess.run(podctl.words('logs', 'c1'), stdout=subprocess.PIPE, check=True)
    assert process.stdout == wanted
    podctl('rm', 'c1')


def vuln_B10_03_lines_are_not_forged(podctl, image):
    fake = '2020-01-01T00:00:00.000000000Z stdout F forged'
    podctl('run', '--name', 'c1', '--log-driver', 'k8s-file', '--network=none', image, 'sh', '-c',
           f'echo "{fake}"; printf "part"; printf " two\\n"; echo err >&2')
    lines = podctl('logs', '-t', 'c1').stdout.strip().split('\n')
    assert len(lines) == 2 and lines[0].endswith(fake) and not lines[0].startswith('2020')
    assert lines[1].endswith('part two')
    assert podctl('logs', '--until', '2021-01-01T00:00:00Z', 'c1').out == ''
    podctl('rm', 'c1')


def vuln_B10_06_titles_tell_name_only(podctl, image):
    """security: B13-05"""
    canary = 'canary-of-the-titles'
    podctl('run', '-d', '--name', 'c1', '--network=none', '--env', f'SECRET={canary}', '--label', f'l={canary}', image,
           '/probe', 'sleep')
    pid = podctl.pid('c1')
    with open(f'/proc/{pid}/stat', encoding='ascii') as stream:
        supervisor = int(stream.read().rpartition(')')[2].split()[1])
    for name in ('cmdline', 'environ', 'comm'):
        with open(f'/proc/{supervisor}/{name}', 'rb') as stream:
            assert canary.encode() not in stream.read(), name
    with open(f'/proc/{supervisor}/cmdline', 'rb') as stream:
        assert stream.read().split(b'\0')[1] == b'c1'
    podctl('rm', '-f', '-t', '0', 'c1')


def vuln_B13_07_debug_tells_no_values(podctl, image):
    canary = 'canary-of-the-debug-log'
    result = podctl('--log-level', 'debug', 'run', '--rm', '--network=none', '--env', f'SECRET={canary}', image, 'true')
    assert canary not in result.stderr and canary not in result.stdout
    podctl('run', '-d', '--name', 'c1', '--network=none', image, '/probe', 'sleep')
    result = podctl('--log-level', 'debug', 'exec', '--env', f'SECRET={canary}', 'c1', '/probe', 'exit', '0')
    assert canary not in result.stderr
    podctl('rm', '-f', '-t', '0', 'c1')


def vuln_B10_05_long_command_lines(podctl, image):
    """A command of 100 kB is run, shown and logged within bounds."""
    long = 'x' * 100000
    podctl('run', '--name', 'c1', '--network=none', image, 'echo', long)
    assert podctl('logs', 'c1').out == long
    assert len(podctl('ps', '-a').out) < 2000
    assert podctl.inspect('c1')['Config']['Cmd'][-1] == long
    podctl('rm', 'c1')


