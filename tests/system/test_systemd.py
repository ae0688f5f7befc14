# SPDX-License-Identifier: LGPL-2.1-or-later
"""Quadlet files under a real systemd: start, readiness, logs, restart, clean stop, coexistence."""
import json
import re
import time

import pytest

from lib.command import IMAGE, IS_PODMAN, PROGRAM, wait_for

UNITS = '/etc/containers/systemd'
ours = pytest.mark.skipif(IS_PODMAN, reason='podctl\'s own')

POD = '[Unit]\nDescription=A pod\n\n[Pod]\nPodName=mypod\nPublishPort=8080:80\n'
WEB = f'''[Container]
ContainerName=web
Image={IMAGE}
Pull=never
Pod=mypod.pod
Exec=sh -c "echo served-by-$HOSTNAME; httpd -p 80 -h /www; exec /probe sleep"
StopTimeout=2

[Service]
Restart=always
RestartSec=0
'''
SIDE = f'''[Container]
ContainerName=side
Image={IMAGE}
Pull=never
Pod=mypod.pod
Exec=/probe sleep
'''


class System:
    """The booted systemd, in the words of the tests."""

    def __init__(self, machine):
        self.machine = machine

    def __call__(self, *words, check=True, timeout=60):
        done = self.machine.enter(*words, timeout=timeout)
        assert not check or done.returncode == 0, f'{words}: {done.returncode}\n{done.stdout}{done.stderr}{self.status()}'
        return done.stdout

    def podctl(self, *words, check=True, timeout=60):
        """As from a login: in a group of its own that ends with the command, and no unit of its own."""
        done = self.machine.run('env', '-u', 'INVOCATION_ID', PROGRAM, *words, timeout=timeout)
        assert not check or done.returncode == 0, f'{words}: {done.returncode}\n{done.stdout}{done.stderr}'
        return done.stdout

    def status(self):
        done = self.machine.enter('sh', '-c', 'systemctl --failed --no-legend; journalctl -b -n 40 --no-pager -o short')
        return '\n' + done.stdout[-4000:]

    def units(self, **files):
        """Writes quadlet files (name_ext=text) and reloads."""
        for name, text in files.items():
            self.machine.write(f'{UNITS}/{name.replace("__", ".")}', text)
        self('systemctl', 'daemon-reload')

    def clear(self):
        self('sh', '-c', 'systemctl stop "mypod*" web.service side.service "t-*" 2>/dev/null; '
             f'rm -rf {UNITS}/* /etc/podctl/systemd/*; systemctl daemon-reload; systemctl reset-failed', check=False)

    def show(self, unit, *properties):
        text = self('systemctl', 'show', unit, *(f'-p{name}' for name in properties))
        rows = dict(line.partition('=')[::2] for line in text.strip().split('\n'))
        return rows if len(properties) > 1 else rows[properties[0]]

    def active(self, unit):
        return self.show(unit, 'ActiveState')

    def journal(self, *matches):
        text = self('journalctl', '-b', '-o', 'json', '--no-pager', *matches)
        return [json.loads(line) for line in text.strip().split('\n') if line]


@pytest.fixture(scope='module')
def booted_image(booted, rootfs_tar):
    booted.enter('mkdir', '-p', UNITS)
    with open(rootfs_tar, 'rb') as stream:
        done = booted.enter('sh', '-c', 'cat > /root/root.tar', stdin=stream)
    assert done.returncode == 0
    done = booted.run(PROGRAM, 'image', 'import', '/root/root.tar', IMAGE)
    assert done.returncode == 0, done.stderr
    return System(booted)


@pytest.fixture
def system(booted_image):
    yield booted_image
    booted_image.clear()
    left = booted_image.podctl('ps', '-aq') + booted_image.podctl('pod', 'ps', '-q')
    booted_image.podctl('pod', 'rm', '-f', '-a', '-t', '0', check=False)
    booted_image.podctl('rm', '-f', '-a', '-t', '0', check=False)
    assert not left, 'stopping the units leaves nothing behind'


@pytest.fixture
def mypod(system):
    system.units(mypod__pod=POD, web__container=WEB, side__container=SIDE)
    return system


def fetch(system):
    return system('timeout', '2', 'busybox', 'wget', '-qO-', 'http://127.0.0.1:8080/', check=False)


def start(system):
    system('systemctl', 'start', 'mypod-pod.service', timeout=60)
    wait_for(lambda: 'hello' in fetch(system))


def test_start_the_pod_starts_its_members(mypod):
    start(mypod)
    for unit in ('mypod-pod.service', 'web.service', 'side.service'):
        assert mypod.active(unit) == 'active', mypod.status()
    names = mypod.podctl('ps', '--format', '{{.Names}}').split()
    assert {'web', 'side'} <= set(names)


@ours
def test_alias_of_the_pod(mypod):
    """D13: systemctl start mypod.service."""
    mypod('systemctl', 'start', 'mypod.service')
    wait_for(lambda: 'hello' in fetch(mypod))
    assert mypod.active('mypod-pod.service') == 'active'
    mypod('systemctl', 'stop', 'mypod.service')
    assert mypod.active('mypod-pod.service') == 'inactive'


@ours
def test_alias_gives_way_to_a_unit_of_that_name(system):
    system.units(mypod__pod=POD, mypod__container=WEB.replace('ContainerName=web', 'ContainerName=other'))
    assert system.show('mypod.service', 'Id') == 'mypod.service'
    assert system.show('mypod-pod.service', 'Id') == 'mypod-pod.service'


def test_member_pulls_the_pod_in(mypod):
    mypod('systemctl', 'start', 'side.service')
    assert mypod.active('mypod-pod.service') == 'active'


def test_main_pid_is_the_supervisor_and_the_infra(mypod):
    start(mypod)
    main = int(mypod.show('web.service', 'MainPID'))
    assert main > 0
    name = mypod('cat', f'/proc/{main}/comm').strip()
    assert name in ('podctl-supervis', 'conmon'), name
    infra = int(mypod.show('mypod-pod.service', 'MainPID'))
    assert mypod('cat', f'/proc/{infra}/comm').strip() in ('podctl-pause', 'conmon')


def test_killed_member_is_restarted_by_systemd_and_its_sibling_stays(mypod):
    start(mypod)
    sibling = mypod.show('side.service', 'MainPID')
    infra = mypod.show('mypod-pod.service', 'MainPID')
    first = mypod.show('web.service', 'MainPID')
    mypod.podctl('kill', 'web')
    wait_for(lambda: mypod.active('web.service') == 'active' and mypod.show('web.service', 'MainPID') not in ('0', first))
    wait_for(lambda: 'hello' in fetch(mypod))
    assert mypod.show('side.service', 'MainPID') == sibling
    assert mypod.show('mypod-pod.service', 'MainPID') == infra
    assert int(mypod.show('web.service', 'NRestarts')) >= 1


def test_killed_supervisor_is_restarted_by_systemd(mypod):
    start(mypod)
    first = mypod.show('web.service', 'MainPID')
    mypod('kill', '-9', first)
    wait_for(lambda: mypod.active('web.service') == 'active' and mypod.show('web.service', 'MainPID') not in ('0', first))
    wait_for(lambda: 'hello' in fetch(mypod))


def test_stop_is_clean(mypod):
    start(mypod)
    begin = time.monotonic()
    mypod('systemctl', 'stop', 'mypod-pod.service')
    assert time.monotonic() - begin < 15
    for unit in ('mypod-pod.service', 'web.service', 'side.service'):
        # with the exit policy the pod may be down before the stop of its last member is
        wait_for(lambda unit=unit: mypod.show(unit, 'ActiveState') != 'deactivating')
        assert mypod.show(unit, 'ActiveState') == 'inactive', f'{unit}{mypod.status()}'
    assert mypod.podctl('ps', '-aq') == '' and mypod.podctl('pod', 'ps', '-q') == ''
    assert 'hello' not in fetch(mypod)


@ours
def test_stop_that_ends_with_143_is_clean(system):
    """Asked to stop and stopped: a success, whatever the program made of SIGTERM."""
    system.units(**{'t-term__container': container('Exec=sh -c "trap \'exit 143\' TERM; while :; do sleep 0.1; done"')})
    system('systemctl', 'start', 't-term.service')
    system('systemctl', 'stop', 't-term.service')
    assert system.active('t-term.service') == 'inactive', system.status()


def test_restart_of_the_pod(mypod):
    start(mypod)
    mypod('systemctl', 'restart', 'mypod-pod.service')
    wait_for(lambda: 'hello' in fetch(mypod))
    assert mypod.active('web.service') == 'active'


def test_journal_has_the_output_and_its_fields(mypod):
    start(mypod)
    identifier = mypod.podctl('inspect', '--format', '{{.Id}}', 'web').strip()
    rows = wait_for(lambda: mypod.journal(f'CONTAINER_ID_FULL={identifier}'))
    row = next(row for row in rows if 'served-by' in row['MESSAGE'])
    assert row['CONTAINER_NAME'] == 'web' and row['CONTAINER_ID'] == identifier[:12]
    assert row['PRIORITY'] == '6'
    if not IS_PODMAN:
        assert row['POD_NAME'] == 'mypod' and len(row['POD_ID']) == 64
        assert row['_SYSTEMD_UNIT'] == 'web.service'
    assert 'served-by' in mypod.podctl('logs', 'web')


def test_journal_by_unit(mypod):
    start(mypod)
    text = wait_for(lambda: mypod('journalctl', '-b', '-u', 'web.service', '-o', 'cat', '--no-pager'))
    assert 'served-by' in text


def test_logs_outlive_the_container(mypod):
    start(mypod)
    wait_for(lambda: mypod.journal('CONTAINER_NAME=web'))
    mypod('systemctl', 'stop', 'mypod-pod.service')
    assert mypod.journal('CONTAINER_NAME=web')


def container(body, service=''):
    return f'[Container]\nImage={IMAGE}\nPull=never\nNetwork=none\n{body}\n[Service]\n{service}\n'


def test_notify_container_waits_for_ready(system):
    system.units(**{'t-ready__container': container('Notify=yes\nExec=sh -c "sleep 1; exec /probe notify READY=1"')})
    begin = time.monotonic()
    system('systemctl', 'start', 't-ready.service')
    assert time.monotonic() - begin > 0.9
    assert system.active('t-ready.service') == 'active'


def test_notify_conmon_is_ready_at_once(system):
    system.units(**{'t-now__container': container('Exec=/probe sleep')})
    begin = time.monotonic()
    system('systemctl', 'start', 't-now.service')
    assert system.active('t-now.service') == 'active' and time.monotonic() - begin < 5
    name = system.podctl('ps', '--format', '{{.Names}}').strip()
    assert name == 'systemd-t-now'
    result = system.podctl('exec', name, '/probe')
    assert not [item for item in json.loads(result)['env'] if item.startswith('NOTIFY_SOCKET')]


def test_failing_container_fails_its_unit(system):
    system.units(**{'t-fails__container': container('Exec=sh -c "sleep 0.3; exit 3"')})
    system('systemctl', 'start', 't-fails.service', check=False)
    wait_for(lambda: system.active('t-fails.service') == 'failed')
    rows = system.show('t-fails.service', 'Result', 'ExecMainStatus')
    assert rows == {'Result': 'exit-code', 'ExecMainStatus': '3'}


def test_command_that_is_not_there_fails_the_start(system):
    system.units(**{'t-none__container': container('Exec=/no/such/program')})
    done = system.machine.enter('systemctl', 'start', 't-none.service')
    assert done.returncode != 0
    assert system.active('t-none.service') == 'failed'


def test_container_that_ends_well_is_inactive(system):
    system.units(**{'t-ends__container': container('Exec=sh -c "sleep 0.3"')})
    system('systemctl', 'start', 't-ends.service', check=False)
    wait_for(lambda: system.active('t-ends.service') == 'inactive')


def test_oneshot(system):
    system.units(**{'t-one__container': container('Exec=sh -c "echo once; exit 0"', 'Type=oneshot\nRemainAfterExit=yes')})
    system('systemctl', 'start', 't-one.service')
    assert system.active('t-one.service') == 'active'
    system.units(**{'t-bad__container': container('Exec=/probe exit 5', 'Type=oneshot')})
    system('systemctl', 'start', 't-bad.service', check=False)
    assert system.show('t-bad.service', 'ExecMainStatus') == '5'


def test_restart_on_failure(system):
    system.units(**{'t-again__container': container('Exec=sh -c "sleep 0.2; exit 9"', 'Restart=on-failure\nRestartSec=0')})
    system('systemctl', 'start', 't-again.service', check=False)
    wait_for(lambda: int(system.show('t-again.service', 'NRestarts')) >= 2)


def test_cgroups_are_split_inside_the_unit(system):
    system.units(**{'t-cg__container': container('ContainerName=cg\nExec=/probe sleep')})
    system('systemctl', 'start', 't-cg.service')
    pid = system.podctl('inspect', '--format', '{{.State.Pid}}', 'cg').strip()
    path = system('cat', f'/proc/{pid}/cgroup')
    assert re.search(r'/system\.slice/t-cg\.service/.+', path), path


def test_install_section(system):
    system.units(**{'t-inst__container': container('Exec=/probe sleep') + '[Install]\nWantedBy=multi-user.target\n'})
    assert 't-inst.service' in system.show('multi-user.target', 'Wants')


def test_drop_in(system):
    system.units(**{'t-drop__container': container('Exec=/probe sleep'),
                    't-drop.container.d/10__conf': '[Unit]\nDescription=Dropped in\n'})
    assert system.show('t-drop.service', 'Description') == 'Dropped in'


def test_bad_file_does_not_stop_the_others(system):
    system.units(**{'t-good__container': container('Exec=/probe sleep'), 't-bad__container': '[Container]\nExec=x\n',
                    't-junk__container': '\x00\x01[[[\n=\nImage', 't-key__container': container('Imagee=x\nExec=x')})
    assert system.show('t-good.service', 'LoadState') == 'loaded'
    for unit in ('t-bad.service', 't-junk.service'):
        assert system.show(unit, 'LoadState') == 'not-found'


@ours
def test_unknown_key_is_told_with_line_and_suggestion(system):
    system.units(**{'t-key__container': container('Imag=x')})
    generator = '/usr/lib/systemd/system-generators/podctl-system-generator'
    done = system.machine.enter(generator, '--dryrun')
    text = done.stdout + done.stderr
    assert re.search(r't-key\.container:5: .*Imag', text) and 'Image' in text


@ours
def test_beside_podman(system):
    """D15: with podman's generator there, /etc/containers/systemd is podman's; ours stays ours."""
    generator = '/usr/lib/systemd/system-generators/podman-system-generator'
    system.machine.write('/etc/podctl/systemd/t-ours.container', container('Exec=/probe sleep'))
    system.units(**{'t-theirs__container': container('Exec=/probe sleep')})
    assert system.show('t-theirs.service', 'LoadState') == 'loaded'
    system.machine.write(generator, '#!/bin/sh\nexit 0\n')
    system('chmod', '+x', generator)
    try:
        system('systemctl', 'daemon-reload')
        assert system.show('t-ours.service', 'LoadState') == 'loaded'
        assert system.show('t-theirs.service', 'LoadState') == 'not-found'
        system('sh', '-c', 'mkdir -p /etc/systemd/system-generators; '
               'ln -s /dev/null /etc/systemd/system-generators/podman-system-generator; systemctl daemon-reload')
        assert system.show('t-theirs.service', 'LoadState') == 'loaded', 'masked means not there'
    finally:
        system('rm', '-f', generator, '/etc/systemd/system-generators/podman-system-generator')
        system('systemctl', 'daemon-reload')


@ours
def test_host_mounts_do_not_grow(mypod):
    before = mypod('cat', '/proc/1/mountinfo').count('\n')
    start(mypod)
    assert mypod('cat', '/proc/1/mountinfo').count('\n') == before


def test_cli_started_container_outlives_its_session(system):
    """run -d from a login: a scope of its own, not the session's group."""
    system.podctl('run', '-d', '--name', 'free', '--network=none', IMAGE, '/probe', 'sleep')
    time.sleep(0.3)
    assert system.podctl('inspect', '--format', '{{.State.Status}}', 'free').strip() == 'running'
    system.podctl('rm', '-f', '-t', '0', 'free')


def test_reload_of_systemd_changes_nothing(mypod):
    start(mypod)
    main = mypod.show('web.service', 'MainPID')
    mypod('systemctl', 'daemon-reload')
    assert mypod.show("web.service", "MainPID") == main


SOCKET = '[Socket]\nListenStream=127.0.0.1:18088\nFileDescriptorName=front\nService=t-front.service\n'
FRONT = f'''[Container]
ContainerName=front
Image={IMAGE}
Pull=never
Exec=/probe answer
StopTimeout=0
'''


@ours
@pytest.mark.parametrize('options', ['', 'Pod=mypod.pod\n', 'PodmanArgs=--init\n'])
def test_socket_activation(system, options):
    """The first connection starts the container, and the container itself answers it."""
    system.machine.write('/etc/systemd/system/t-front.socket', SOCKET)
    files = {'t-front__container': FRONT + options}
    if 'Pod=' in options:
        files['mypod__pod'] = '[Pod]\nPodName=mypod\n'
    system.units(**files)
    try:
        system('systemctl', 'start', 't-front.socket')
        assert system.active('t-front.service') == 'inactive'
        for _ in range(2):
            text = system('timeout', '20', 'busybox', 'nc', '127.0.0.1', '18088')
            assert text == 'front answers\n'
        assert system.active('t-front.service') == 'active'
    finally:
        system('systemctl', 'stop', 't-front.socket', 't-front.service', check=False)
        system('rm', '-f', '/etc/systemd/system/t-front.socket')
