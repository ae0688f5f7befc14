# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures of the system tests. Started by tests/system/run, which makes the place they run in."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import booted as booted_module  # noqa: E402
from lib import leaks, security  # noqa: E402
from lib.command import IMAGE, IS_PODMAN, Podctl  # noqa: E402

PROBE = os.environ.get('PODCTL_TEST_PROBE', '')
SANITIZER_LOGS = os.environ.get('PODCTL_TEST_SANITIZER_LOGS', '')
# What the leak checker says when the process that it looks at is killed: no report.
KILLED_WHILE_CHECKED = re.compile(r'^==\d+==Unable to get registers from thread \d+\.\n?', re.MULTILINE)
TEST_SECONDS = 120


def pytest_addoption(parser):
    parser.addoption('--security-table', metavar='FILE', help='write the table of all security ids to FILE')


def pytest_configure(config):
    config.addinivalue_line('markers', 'limit(seconds): how long the test may take (120)')
    config.addinivalue_line('markers', 'leaves(reason): the leak check does not apply')
    config.addinivalue_line('markers', 'full: only with tests/run --full')
    if not os.environ.get('PODCTL_TEST_ISOLATED'):
        pytest.exit('start the system tests with tests/system/run: they need a place of their own', returncode=2)


SECURITY = security.Results()


def pytest_runtest_logreport(report):
    SECURITY.add(report)


def pytest_sessionfinish(session):
    path = session.config.getoption('--security-table')
    if path:
        with open(path, 'w', encoding='utf-8') as stream:
            stream.write(security.table(SECURITY))


def pytest_collection_modifyitems(items):
    if os.environ.get('PODCTL_TEST_FULL'):
        return
    for item in items:
        if item.get_closest_marker('full'):
            item.add_marker(pytest.mark.skip(reason='a long one: tests/run --full'))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    yield from limited(item)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    yield from limited(item)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item):
    yield from limited(item)


def limited(item):
    """No test hangs: a SIGALRM ends it where it stands."""
    marker = item.get_closest_marker('limit')
    seconds = marker.args[0] if marker else TEST_SECONDS

    def expired(*unused):
        raise TimeoutError(f'the test took longer than {seconds} s')

    old = signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, old)


def make_rootfs(path):
    """A root file system of busybox and the probe."""
    for directory in ('bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'run', 'root', 'var', 'home', 'www'):
        os.makedirs(f'{path}/{directory}')
    os.chmod(f'{path}/tmp', 0o1777)
    busybox = shutil.which('busybox')
    shutil.copy(busybox, f'{path}/bin/busybox')
    applets = subprocess.run([busybox, '--list'], capture_output=True, text=True, check=True).stdout.split()
    for applet in applets:
        if applet != 'busybox':
            os.symlink('busybox', f'{path}/bin/{applet}')
    if PROBE:
        shutil.copy(PROBE, f'{path}/probe')
    with open(f'{path}/etc/passwd', 'w', encoding='ascii') as stream:
        stream.write('root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\n')
    with open(f'{path}/etc/group', 'w', encoding='ascii') as stream:
        stream.write('root:x:0:\nuser:x:1000:\nextra:x:2000:user\n')
    with open(f'{path}/www/index.html', 'w', encoding='ascii') as stream:
        stream.write('hello from the pod\n')


@pytest.fixture(scope='session')
def rootfs(tmp_path_factory):
    path = tmp_path_factory.mktemp('rootfs') / 'root'
    make_rootfs(str(path))
    return str(path)


@pytest.fixture(scope='session')
def rootfs_tar(rootfs, tmp_path_factory):
    path = str(tmp_path_factory.mktemp('tar') / 'root.tar')
    subprocess.run(['tar', '-C', rootfs, '-cf', path, '.'], check=True)
    return path


@pytest.fixture(scope='session')
def session_podctl():
    return Podctl()


@pytest.fixture(scope='session')
def image(session_podctl, rootfs_tar):
    """The test image, brought in once."""
    session_podctl('image', 'import' if IS_PODMAN else 'import', rootfs_tar, IMAGE)
    # The first run makes what is made once: the cached filter, the bridge of the default network.
    session_podctl('run', '--rm', '--network=none', IMAGE, 'true', check=False)
    session_podctl('run', '--rm', IMAGE, 'true', check=False)
    session_podctl('pod', 'create', '--name', 'first', check=False)
    session_podctl('create', '--pod', 'first', IMAGE, 'true', check=False)
    session_podctl('pod', 'rm', '-f', 'first', check=False)
    session_podctl('volume', 'create', 'first', check=False)
    session_podctl('volume', 'rm', 'first', check=False)
    leaks.settled()
    return IMAGE


@pytest.fixture
def podctl(session_podctl):
    return session_podctl


@pytest.fixture
def started(podctl, image):
    """Starts containers in the background; they are removed afterwards."""
    names = []

    def start(*words, options=(), name='c1'):
        names.append(name)
        podctl('run', '-d', '--name', name, '--network=none', *options, image, *words)
        return name

    yield start
    for name in names:
        podctl('rm', '-f', '-t', '0', name, check=False)


def settle(before, seconds=3.0):
    """What is left behind once the last processes had time to end."""
    end = time.monotonic() + seconds
    while True:
        lines = leaks.difference(before, leaks.snapshot())
        if not lines or time.monotonic() > end:
            return lines
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def leakcheck(request):
    """After a test everything is as it was before it; a test removes what it made."""
    if request.node.get_closest_marker('leaves') or IS_PODMAN or 'booted' in request.fixturenames:
        yield
        return
    if 'image' in request.fixturenames:
        request.getfixturevalue('image')
    podctl_command = request.getfixturevalue('session_podctl')
    before = leaks.snapshot()
    yield
    lines = settle(before)
    if lines:
        # The next test must not pay for this one.
        podctl_command.remove_all()
        pytest.fail('left behind:\n  ' + '\n  '.join(lines))


@pytest.fixture(autouse=True)
def sanitizers():
    """A report of ASan or UBSan of any process, also of those nobody waits for, fails the test."""
    yield
    if not SANITIZER_LOGS:
        return
    reports = sorted(os.listdir(SANITIZER_LOGS))
    texts = []
    for name in reports:
        path = f'{SANITIZER_LOGS}/{name}'
        with open(path, encoding='utf-8', errors='replace') as stream:
            texts.append(KILLED_WHILE_CHECKED.sub('', stream.read())[:3000])
        os.unlink(path)
    texts = [text for text in texts if text.strip()]
    if texts:
        pytest.fail('sanitizer report:\n' + '\n'.join(texts))


@pytest.fixture(scope='module')
def booted():
    """One boot of a real systemd a module, with podctl installed and the test image in it."""
    lack = booted_module.missing()
    if lack:
        pytest.skip(f'no booted systemd: {lack}')
    # Only for a podman that is measured by the same tests: its storage may not lie on an overlay either.
    tmpfs = ['/var/lib/podctl'] + (['/var/lib/containers'] if IS_PODMAN else [])
    with booted_module.Booted(tmpfs=tmpfs) as machine:
        yield machine
