# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images while they come in, and what the host shows of it all (security.md B2, B5 to B7, B11, B13)."""
import concurrent.futures
import json
import os
import random
import signal
import subprocess
import time

import pytest

from lib import images
from lib.command import IS_PODMAN

pytestmark = pytest.mark.skipif(IS_PODMAN, reason='about podctl itself')

FULL = bool(os.environ.get('PODCTL_TEST_FULL'))


@pytest.fixture
def layout(rootfs, tmp_path):
    """A good OCI layout to spoil."""
    with open(f'{rootfs}/probe', 'rb') as stream:
        entries = {'probe': stream.read(), 'proc': None, 'sys': None, 'dev': None}
    path = str(tmp_path / 'layout')
    images.oci_layout(path, 'latest', [images.layer(entries)], Cmd=['/probe'])
    return path


def vuln_B2_17_many_and_long_mounts(podctl, image, tmp_path):
    """Lengths are counted in more than 16 bits: each of them arrives, or the start fails in words."""
    deep = '/' + '/'.join(['x' * 200] * 15)
    words = [word for i in range(300) for word in ('-v', f'{tmp_path}:{deep}/{i}')]
    assert sum(map(len, words)) > 900000
    result = podctl('run', '--rm', '--network=none', *words, image, 'grep', '-c', deep,
                    '/proc/self/mountinfo', check=False, timeout=120)
    if result.code != 0:
        assert len(result.stderr.strip().split('\n')) == 1 and result.code == 125, result.stderr[:500]
    else:
        assert result.out == '300'


def vuln_B5_02_cgroups_are_read_only(podctl, image):
    """Also in the host's cgroup namespace: nothing can be made, moved or frozen."""
    script = ('cd /sys/fs/cgroup || exit 0; for f in $(find . -name cgroup.procs -o -name cgroup.freeze | head -50); do '
              'echo 1 2>/dev/null >"$f" && echo "wrote $f"; done; for d in $(find . -type d | head -50); do '
              'mkdir "$d/x" 2>/dev/null && echo "made $d/x"; done; true')
    for options in ((), ('--cgroupns=host',), ('--cgroupns=private',), ('--pid=host',)):
        result = podctl('run', '--rm', '--network=none', *options, image, 'sh', '-c', script)
        assert result.out == '', (options, result.out[:500])


def vuln_B6_06_the_same_layer_twice_at_once(podctl, image, rootfs_tar):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda i: podctl('image', 'import', rootfs_tar, f'localhost/twice:{i}', check=False),
                                range(4)))
    assert {result.code for result in results} == {0}
    for i in range(4):
        assert podctl('run', '--rm', '--network=none', f'localhost/twice:{i}', 'echo', 'fine').out == 'fine'
    podctl('image', 'rm', *(f'localhost/twice:{i}' for i in range(4)))


@pytest.mark.parametrize('spoil', ['blobs', 'index', 'fifo', 'layer', 'config', 'directory'])
def vuln_B6_23_links_in_a_layout(podctl, image, layout, tmp_path, spoil):
    secret = tmp_path / 'secret'
    secret.write_text('canary-of-the-host')
    sums = f'{layout}/blobs/sha256'
    biggest = max(os.listdir(sums), key=lambda name: os.path.getsize(f'{sums}/{name}'))
    if spoil == 'blobs':
        os.rename(f'{layout}/blobs', tmp_path / 'moved')
        os.symlink('/', f'{layout}/blobs')
    elif spoil == 'index':
        os.unlink(f'{layout}/index.json')
        os.symlink('/etc/passwd', f'{layout}/index.json')
    elif spoil == 'fifo':
        os.unlink(f'{layout}/oci-layout')
        os.mkfifo(f'{layout}/oci-layout')
    elif spoil == 'directory':
        os.unlink(f'{sums}/{biggest}')
        os.mkdir(f'{sums}/{biggest}')
    else:
        name = biggest if spoil == 'layer' else min(os.listdir(sums), key=lambda n: os.path.getsize(f'{sums}/{n}'))
        os.unlink(f'{sums}/{name}')
        os.symlink(secret, f'{sums}/{name}')
    result = podctl('image', 'load', '-i', layout, check=False, timeout=30)
    assert result.code == 125 and len(result.stderr.strip().split('\n')) == 1, result
    assert 'canary' not in result.stderr + result.stdout


def vuln_B6_25_an_archive_takes_no_other_name(podctl, image, tmp_path):
    """What an archive calls itself does not replace an image that has the name for other content silently: the old
    image is still there by its id, and an import under a name of the user's own does not touch it."""
    before = podctl.json('image', 'inspect', image)[0]['Id']
    path = str(tmp_path / 'other.tar')
    images.docker_archive(path, 'localhost/other:1', [images.layer({'evil': 'x'})], Labels={'name': image})
    podctl('image', 'load', '-i', path)
    assert podctl.json('image', 'inspect', image)[0]['Id'] == before
    podctl('image', 'rm', 'localhost/other:1')


def vuln_B6_26_interrupted_imports(podctl, image, rootfs_tar):
    """security: B6-13"""
    rng = random.Random(3)
    for i in range(60 if FULL else 15):
        process = podctl.start('image', 'import', rootfs_tar, 'localhost/cut:1', stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, 0.12))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        result = podctl('run', '--rm', '--network=none', 'localhost/cut:1', 'echo', 'fine', check=False)
        assert (result.code, result.out) in ((0, 'fine'), (125, '')), (i, result)
        podctl('image', 'rm', 'localhost/cut:1', check=False)
    podctl('image', 'import', rootfs_tar, 'localhost/cut:1')
    assert podctl('run', '--rm', '--network=none', 'localhost/cut:1', 'echo', 'fine').out == 'fine'
    podctl('image', 'rm', 'localhost/cut:1')


def listeners():
    found = set()
    for name in ('tcp', 'tcp6', 'udp', 'udp6'):
        with open(f'/proc/net/{name}', encoding='ascii') as stream:
            for line in list(stream)[1:]:
                fields = line.split()
                if name.startswith('udp') or fields[3] == '0A':
                    found.add((name, fields[1]))
    return found


def vuln_B7_09_nothing_listens_for_a_published_port(podctl, image):
    """security: B7-07"""
    before = listeners()
    podctl('pod', 'create', '--name', 'p1', '-p', '127.0.0.1:18099:80')
    podctl.pod_add('p1', image, '/probe', 'sleep', options=['--name', 'm1'])
    new = listeners() - before
    assert all(address.startswith('0100007F:') for _, address in new), new
    with open('/proc/net/unix', encoding='ascii') as stream:
        assert not [line for line in stream if '@' in line and 'podctl' in line]
    podctl('pod', 'rm', '-f', '-t', '0', 'p1')


def vuln_B11_15_names_do_not_reach_the_rules(podctl, image):
    words = ['evil";flush ruleset;"', 'a b', '$(id)', '\n add table x']
    options = [word for value in words for word in ('--label', f'l={value}', '--annotation', f'a={value}')]
    podctl('pod', 'create', '--name', 'p1', '-p', '18098:80', '--label', f'l={words[0]}')
    podctl('run', '-d', '--pod', 'p1', '--name', 'm1', *options, image, '/probe', 'sleep')
    rules = subprocess.run(['nft', 'list', 'ruleset'], capture_output=True, text=True, check=True).stdout
    assert 'evil' not in rules and '18098' in rules and 'table x' not in rules
    podctl('pod', 'rm', '-f', '-t', '0', 'p1')


def vuln_B13_10_records_of_a_newer_version(podctl, image):
    identifier = podctl('create', '--name', 'c1', image, 'true').out
    path = f'/var/lib/podctl/containers/{identifier}/definition.json'
    with open(path, encoding='utf-8') as stream:
        text = stream.read()
    newer = json.dumps(dict(json.loads(text), version=2, unknown='x'))
    with open(path, 'w', encoding='utf-8') as stream:
        stream.write(newer)
    for words in (('start', 'c1'), ('inspect', 'c1'), ('rm', '-f', 'c1')):
        assert 'newer version' in podctl.fails(125, *words), words
    with open(path, encoding='utf-8') as stream:
        assert stream.read() == newer
    assert podctl('ps', '-a').code == 0
    with open(path, 'w', encoding='utf-8') as stream:
        stream.write(text)
    podctl('rm', 'c1')


def vuln_B5_06_generated_files_are_not_in_memory(podctl, image):
    """security: A19.5: what a container writes to its /etc/hosts does not fill the host's /run."""
    before = os.statvfs('/run')
    podctl('run', '-d', '--name', 'c1', '--network=none', '--user', '1234', image, '/probe', 'sleep')
    for name in ('/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/run/.containerenv'):
        podctl('exec', '--user', '0', 'c1', 'dd', 'if=/dev/zero', f'of={name}', 'bs=1M', 'count=8')
    after = os.statvfs('/run')
    assert (before.f_bfree - after.f_bfree) * after.f_bsize < 4 << 20
    podctl('rm', '-f', '-t', '0', 'c1')
