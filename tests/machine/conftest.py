# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures of the tests in a virtual machine. Started by tests/machine/run.

One machine serves all tests; it boots when the first one asks for it. Where it cannot be made, every
test is skipped with the reason.
"""
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from lib import guest  # noqa: E402
from lib.guest_podctl import IMAGE, GuestPodctl, wait_for  # noqa: E402
from lib.vm import Vm, VmError  # noqa: E402

STAGE = os.environ.get('PODCTL_TEST_STAGE', '')
PROBE = os.environ.get('PODCTL_TEST_PROBE', '')
HOG = os.environ.get('PODCTL_TEST_HOG', '')
OUT = os.environ.get('PODCTL_TEST_OUT', '')
INSIDE = '/usr/lib/podctl-test'
TEST_SECONDS = 180
# What a test can leave behind, a line a thing. The default network may stand until it is swept up.
LEFT = r'''
find /sys/fs/cgroup -type d -path '*podctl*' ! -path '*podctl-agent*'
find /run/podctl/containers /run/podctl/pods /run/podctl/names /run/podctl/pending \
	/var/lib/podctl/containers /var/lib/podctl/pods -mindepth 1 -maxdepth 1 2>/dev/null
grep -hs '^podctl\|^probe\|^hog' /proc/[0-9]*/comm
while read -r source target rest; do
	case $target in /proc*|/sys*|/dev*|/run*|/tmp*) ;; *) echo "mount $target" ;; esac
done < /proc/mounts
true
'''


def pytest_configure(config):
    config.addinivalue_line('markers', 'limit(seconds): how long the test may take (180)')
    config.addinivalue_line('markers', 'leaves(reason): the leak check does not apply')
    config.addinivalue_line('markers', 'kernel(words): boots with these words on the kernel\'s command line')
    config.addinivalue_line('markers', 'full: only with tests/run --full')
    if not STAGE or not PROBE or not HOG:
        pytest.exit('start these tests with tests/machine/run', returncode=2)


def pytest_collection_modifyitems(items):
    # Ordinary boots first, and each other kernel line once.
    items.sort(key=kernel_words)
    if os.environ.get('PODCTL_TEST_FULL'):
        return
    for item in items:
        if item.get_closest_marker('full'):
            item.add_marker(pytest.mark.skip(reason='a long one: tests/run --full'))


def kernel_words(item):
    marker = item.get_closest_marker('kernel')
    return marker.args[0] if marker else ''


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    yield from limited(item)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
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


def make_image(path):
    """A root file system of busybox, the probe and the hog, as a tar."""
    busybox = shutil.which('busybox')
    applets = subprocess.run([busybox, '--list'], capture_output=True, text=True, check=True).stdout.split()
    with tarfile.open(path, 'w') as tar:
        for name in ('bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'run', 'root', 'var', 'www'):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if name == 'tmp' else 0o755
            tar.addfile(info)
        for source, name in ((busybox, 'bin/busybox'), (PROBE, 'probe'), (HOG, 'hog')):
            tar.add(os.path.realpath(source), arcname=name)
        for applet in applets:
            if applet != 'busybox':
                info = tarfile.TarInfo(f'bin/{applet}')
                info.type, info.linkname = tarfile.SYMTYPE, 'busybox'
                tar.addfile(info)
        for name, text in (('passwd', 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/:/bin/sh\n'),
                           ('group', 'root:x:0:\nuser:x:1000:\n')):
            info = tarfile.TarInfo(f'etc/{name}')
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))


@pytest.fixture(scope='session')
def machine(tmp_path_factory):
    """The virtual machine, made and off."""
    # SystemExit would only fail the one test that runs.
    signal.signal(signal.SIGTERM, lambda *unused: pytest.exit('told to end', returncode=143))
    image = str(tmp_path_factory.mktemp('image') / 'image.tar')
    make_image(image)
    vm = Vm(STAGE, {'/': STAGE, f'{INSIDE}/agent.py': f'{HERE}/lib/agent.py', f'{INSIDE}/image.tar': image,
                    f'{INSIDE}/probe': PROBE})
    vm.words = None
    vm.broken = vm.clean_boot = None
    try:
        try:
            vm.prepare()
        except (guest.GuestError, OSError, subprocess.SubprocessError) as error:
            pytest.skip(f'no virtual machine: {error}')
        vm.add_disk(256)
        yield vm
    finally:
        if OUT and vm.directory:
            shutil.copy(f'{vm.directory}/console', f'{OUT}/machine-console.txt')
        vm.close()


def first_boot(vm):
    """The image is brought in, and what is made once is made."""
    podctl = GuestPodctl(vm)
    podctl('image', 'import', f'{INSIDE}/image.tar', IMAGE)
    podctl('run', '--rm', '--network=none', IMAGE, 'true')


@pytest.fixture
def vm(machine, request):
    """The machine, running, with the kernel words that the test asks for."""
    words = kernel_words(request.node)
    if machine.broken:
        pytest.fail(f'the machine did not boot: {machine.broken}')
    if machine.process and (machine.words != words or machine.process.poll() is not None):
        machine.off()
    if not machine.process:
        try:
            machine.boot(words)
            machine.words = words
            if machine.boots == 1:
                first_boot(machine)
        except (VmError, AssertionError) as error:
            # The tests that follow must not wait for the same once more.
            machine.broken = str(error)
            raise
    return machine


@pytest.fixture
def podctl(vm):
    return GuestPodctl(vm)


@pytest.fixture(autouse=True)
def leakcheck(request):
    """A test removes what it made, and then nothing of it is there."""
    if request.node.get_closest_marker('leaves'):
        yield
        return
    vm = request.getfixturevalue('vm')
    if vm.clean_boot != vm.boot_id:
        # What is there when nothing was made yet; looking once a boot is enough, a look takes a second.
        vm.clean, vm.clean_boot = vm.sh(LEFT).stdout.split('\n'), vm.boot_id
    before = vm.clean
    yield
    if not vm.process:
        return
    lines = []

    def clean():
        lines[:] = [line for line in vm.sh(LEFT).stdout.split('\n') if line not in before]
        return not lines
    try:
        wait_for(clean, 5)
    except AssertionError:
        GuestPodctl(vm).remove_all()
        pytest.fail('left behind:\n  ' + '\n  '.join(lines))
