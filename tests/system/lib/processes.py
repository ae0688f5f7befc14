# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of a container's process share: containers and images that go with the test."""
import pytest

from lib import images

NONE = '--network=none'
DEFAULT = sum(1 << bit for bit in (0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 31))


def shell(podctl, script, *options, check=True, image='localhost/test:latest', **more):
    return podctl('run', '--rm', NONE, *options, image, 'sh', '-c', script, check=check, **more)


def environment(facts):
    return dict(item.split('=', 1) for item in facts['env'])


@pytest.fixture
def running(podctl, image):
    """Starts containers; they are gone afterwards."""
    names = []

    def run(*options, name='c1', command=('/probe', 'sleep')):
        names.append(name)
        podctl('run', '-d', '--name', name, NONE, *options, image, *command)
        return name
    yield run
    for name in names:
        podctl('rm', '-f', '-i', '-t', '0', name)


@pytest.fixture
def make_image(podctl, rootfs_tar, tmp_path):
    """Images of the test root with files over it and settings of their own."""
    names = []

    def make(files=None, **settings):
        name = f'localhost/made{len(names)}:1'
        path = tmp_path / f'made{len(names)}.tar'
        with open(rootfs_tar, 'rb') as stream:
            layers = [stream.read()]
        if files:
            layers.append(images.layer(files))
        images.docker_archive(path, name, layers, **settings)
        podctl('image', 'load', '-i', path)
        names.append(name)
        return name
    yield make
    for name in names:
        podctl('image', 'rm', '-f', name, check=False)


# --- A01: capabilities ------------------------------------------------------------------------
