# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images: load, import, list, tag, inspect, remove; what the image says becomes the container."""
import json
import os
import subprocess

import pytest

from lib import images
from lib.command import IS_PODMAN

TAG = 'localhost/loaded:v1'


@pytest.fixture(scope='module')
def layers(rootfs):
    """busybox and the probe; then a layer that changes, hides and adds."""
    def read(name):
        with open(f'{rootfs}/{name}', 'rb') as stream:
            return stream.read()
    base = {'bin': None, 'etc': None, 'proc': None, 'sys': None, 'dev': None, 'tmp': None, 'data': None, 'opaque': None,
            'bin/busybox': read('bin/busybox'), 'probe': read('probe'), 'etc/passwd': read('etc/passwd'),
            'etc/group': read('etc/group'), 'data/gone': 'x', 'data/kept': 'below\n', 'opaque/old': 'x'}
    for name in ('sh', 'ls', 'cat', 'echo', 'true', 'id', 'stat', 'sleep'):
        base[f'bin/{name}'] = ('link', 'busybox')
    upper = {'data': None, 'data/.wh.gone': '', 'data/new': 'above\n', 'opaque': None, 'opaque/.wh..wh..opq': '',
             'opaque/new': 'x'}
    return [images.layer(base), images.layer(upper)]


SETTINGS = {'Env': ['PATH=/bin', 'FROM_IMAGE=yes'], 'Entrypoint': ['/bin/echo', 'entry'], 'Cmd': ['cmd'],
            'WorkingDir': '/data', 'User': '1000:1000', 'Labels': {'a': 'b'}, 'StopSignal': 'SIGINT'}


@pytest.fixture(params=['docker-archive', 'oci-archive', 'oci-layout'])
def archive(request, tmp_path, layers):
    path = str(tmp_path / 'image')
    if IS_PODMAN and request.param == 'oci-layout':
        pytest.skip('podman names it after its directory')
    if request.param == 'docker-archive':
        images.docker_archive(path, TAG, layers, **SETTINGS)
    else:
        folder = str(tmp_path / 'layout')
        images.oci_layout(folder, TAG, layers, **SETTINGS)
        path = folder
        if request.param == 'oci-archive':
            path = str(tmp_path / 'image')
            images.oci_archive(path, folder)
    return path


@pytest.fixture
def loaded(podctl, image, archive):
    podctl('image', 'load', '-i', archive)
    yield TAG
    podctl('image', 'rm', '-f', TAG, check=False)


def run(podctl, *words, check=True):
    return podctl('run', '--rm', '--network=none', *words, check=check)


def test_load_then_the_image_is_what_it_says(podctl, loaded):
    assert podctl('image', 'exists', loaded).code == 0
    assert run(podctl, loaded).stdout == 'entry cmd\n'
    assert run(podctl, loaded, 'own').stdout == 'entry own\n'
    facts = json.loads(run(podctl, '--entrypoint', '/probe', loaded).stdout)
    assert 'FROM_IMAGE=yes' in facts['env'] and facts['cwd'] == '/data' and facts['uids'] == [1000] * 3
    assert run(podctl, '--entrypoint', '', '--user', 'root', loaded, 'id', '-u').stdout == '0\n'


def test_whiteouts(podctl, loaded):
    text = run(podctl, '--entrypoint', '/bin/sh', loaded, '-c', 'cd /data; ls; cat kept new; cd /opaque; ls').stdout
    assert text.split() == ['kept', 'new', 'below', 'above', 'new']


def test_list_inspect_tag_remove(podctl, loaded):
    rows = podctl.json('images', '--format', 'json')
    row = next(row for row in rows if TAG in (row.get('Names') or []))
    assert row['Id'] and row['Size'] > 0
    data = podctl.json('image', 'inspect', loaded)[0]
    assert data['Config']['Env'] == SETTINGS['Env'] and data['Config']['Labels'] == {'a': 'b'}
    assert loaded in data['RepoTags']
    podctl('image', 'tag', loaded, 'localhost/second:v2')
    assert podctl('image', 'exists', 'localhost/second:v2').code == 0
    podctl('image', 'rm', 'localhost/second:v2')
    assert podctl('image', 'exists', 'localhost/second:v2', check=False).code == 1
    assert podctl('image', 'exists', loaded).code == 0
    podctl('image', 'rm', loaded)
    assert podctl('image', 'exists', loaded, check=False).code == 1


def test_images_formats(podctl, image):
    assert image in podctl('images', '--format', '{{.Repository}}:{{.Tag}}').out.split()
    lines = podctl('image', 'ls').stdout.split('\n')
    assert lines[0].split()[:3] == ['REPOSITORY', 'TAG', 'IMAGE']
    assert podctl('images', '-q', '--no-trunc').out.startswith('sha256:')


def test_short_name_and_id(podctl, image):
    identifier = podctl('image', 'inspect', '--format', '{{.Id}}', image).out
    assert run(podctl, identifier[:12], 'true').code == 0
    assert run(podctl, 'localhost/test', 'true').code == 0


def test_image_in_use_is_not_removed(podctl, image):
    podctl('create', '--name', 'user', '--network=none', image, 'true')
    result = podctl('image', 'rm', image, check=False)
    assert result.code == 2 and result.stderr
    assert podctl('image', 'exists', image).code == 0
    podctl('rm', 'user')


def test_remove_what_is_not_there(podctl):
    assert podctl('image', 'rm', 'localhost/none:1', check=False).code == 1


def test_import_changes(podctl, image, rootfs_tar):
    podctl('image', 'import', '--change', 'CMD ["/probe"]', '-c', 'ENV A=b', rootfs_tar, 'localhost/changed:1')
    facts = json.loads(run(podctl, 'localhost/changed:1').stdout)
    assert 'A=b' in facts['env']
    podctl('image', 'rm', 'localhost/changed:1')


def test_import_from_standard_input(podctl, image, rootfs_tar):
    with open(rootfs_tar, 'rb') as stream:
        podctl('image', 'import', '-', 'localhost/piped:1', stdin=stream)
    assert run(podctl, 'localhost/piped:1', 'true').code == 0
    podctl('image', 'rm', 'localhost/piped:1')


@pytest.mark.parametrize('compression', ['gzip', 'xz', 'zstd', 'bzip2'])
def test_import_compressed(podctl, image, rootfs_tar, tmp_path, compression):
    with open(tmp_path / 'c.tar', 'wb') as stream:
        try:
            subprocess.run([compression, '-c', rootfs_tar], stdout=stream, check=True)
        except FileNotFoundError:
            pytest.skip(f'{compression} is not installed')
    podctl('image', 'import', tmp_path / 'c.tar', 'localhost/packed:1')
    assert run(podctl, 'localhost/packed:1', 'true').code == 0
    podctl('image', 'rm', 'localhost/packed:1')


def test_import_keeps_owners_and_modes(podctl, image, tmp_path, rootfs):
    copy = tmp_path / 'root'
    subprocess.run(['cp', '-a', rootfs, copy], check=True)
    (copy / 'owned').write_text('x')
    os.chown(copy / 'owned', 1000, 2000)
    os.chmod(copy / 'owned', 0o4750)
    subprocess.run(['tar', '-C', copy, '-cf', tmp_path / 'o.tar', '.'], check=True)
    podctl('image', 'import', tmp_path / 'o.tar', 'localhost/owners:1')
    assert run(podctl, 'localhost/owners:1', 'stat', '-c', '%u %g %a', '/owned').out == '1000 2000 4750'
    podctl('image', 'rm', 'localhost/owners:1')


@pytest.mark.skipif(IS_PODMAN, reason='podctl\'s unpacker')
def test_same_layer_is_laid_out_once(podctl, image, rootfs_tar):
    def kilobytes():
        return int(subprocess.run(['du', '-sk', '/var/lib/podctl'], capture_output=True, text=True,
                                  check=True).stdout.split()[0])
    before = kilobytes()
    podctl('image', 'import', rootfs_tar, 'localhost/twin:1')
    assert kilobytes() - before < 100
    podctl('image', 'rm', 'localhost/twin:1')


@pytest.mark.parametrize('shell', ['bash', 'zsh', 'fish'])
def test_completion(podctl, shell):
    text = podctl('completion', shell).stdout
    assert 'podctl' in text or IS_PODMAN


@pytest.mark.skipif(IS_PODMAN, reason='podctl\'s own words')
def test_completion_of_volumes(podctl, image):
    podctl('volume', 'create', 'data')
    for words in (('volume', 'rm'), ('volume', 'inspect'), ('volume', 'exists')):
        assert podctl('__complete', *words, 'da').out == 'data'
    podctl('volume', 'rm', 'data')
