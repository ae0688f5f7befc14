# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is there after a reboot and after a power cut: security.md C6."""
import json
import random

import pytest

from lib.guest_podctl import IMAGE, wait_for

UNITS = '/etc/containers/systemd'
BACK = f'''[Container]
ContainerName=back
Image={IMAGE}
Pull=never
Network=none
Exec=/probe sleep

[Install]
WantedBy=multi-user.target
'''
STAYS_OFF = BACK.replace('ContainerName=back', 'ContainerName=off').split('[Install]')[0]
# Two of these run at a time until the power is cut. $1: a name of their own.
LOAD = f'''
while :; do
	podctl run -d --name $1-a --network=none {IMAGE} /probe sleep
	podctl create --name $1-b --network=none {IMAGE} true
	podctl pod create --name $1-p
	podctl pod add --name $1-m $1-p {IMAGE} /probe sleep
	podctl run --rm --network=none {IMAGE} true
	podctl rm -f -t 0 $1-a
	podctl image import /usr/lib/podctl-test/image.tar localhost/$1:latest
	podctl start $1-b
	podctl pod rm -f -t 0 $1-p
	podctl image rm localhost/$1:latest
	podctl rm -f -t 0 $1-b
done
'''


@pytest.fixture
def unit_files(vm):
    vm.write(f'{UNITS}/back.container', BACK)
    vm.write(f'{UNITS}/off.container', STAYS_OFF)
    vm.run('systemctl', 'daemon-reload')
    yield
    vm.sh(f'systemctl stop back.service off.service; rm -f {UNITS}/*; systemctl daemon-reload', check=False)


def scene(podctl):
    """One of each kind of container and pod."""
    podctl.sleeper('running')
    podctl('create', '--name', 'never', '--network=none', IMAGE, 'true')
    podctl('run', '--name', 'ended', '--network=none', IMAGE, 'sh', '-c', 'exit 3', check=False)
    podctl.sleeper('fleeting', '--rm')
    podctl('pod', 'create', '--name', 'pod', '-p', '8080:80')
    podctl('pod', 'add', '--name', 'member', 'pod', IMAGE, '/probe', 'sleep')


def statuses(podctl):
    rows = podctl.json('ps', '-a', '--format', 'json')
    return {row['Names'][0]: row['State'] for row in rows}


def check_scene(vm, podctl):
    """After the boot: everything has a definite state, nothing of before runs or is in the way."""
    found = statuses(podctl)
    assert found.get('running') == 'exited' and found.get('never') == 'created', found
    assert found.get('ended') == 'exited' and podctl.state('ended')['ExitCode'] == 3
    assert found.get('member') == 'exited' and 'fleeting' not in found, found
    assert podctl.pod_inspect('pod')['State'] in ('Exited', 'Stopped'), podctl.pod_inspect('pod')
    left = vm.sh('find /sys/fs/cgroup -name "payload-*" ! -path "*/back.service/*"; ip -o link | grep veth', check=False)
    assert not left.stdout
    podctl('start', 'running')
    podctl('pod', 'start', 'pod')
    found = statuses(podctl)
    assert found['running'] == found['member'] == 'running', found
    podctl('pod', 'rm', '-f', '-t', '0', 'pod')
    podctl('rm', '-f', '-t', '0', 'running', 'never', 'ended')


def test_C6_reboot(vm, podctl, unit_files):
    """Units that are installed come back, once; other containers are "exited" and can be started."""
    scene(podctl)
    vm.run('systemctl', 'start', 'off.service')
    vm.reboot()
    wait_for(lambda: vm.run('systemctl', 'is-active', 'back.service', check=False).out == 'active')
    found = statuses(podctl)
    assert found.pop('back') == 'running' and 'off' not in found, found
    assert vm.run('systemctl', 'show', '-P', 'NRestarts', 'back.service').out == '0'
    assert vm.run('systemctl', 'is-active', 'off.service', check=False).out == 'inactive'
    check_scene(vm, podctl)
    errors = vm.sh('journalctl -b -p err --no-pager -o cat | grep -i podctl', check=False).out
    assert not errors, errors


def test_C6_power_cut(vm, podctl, unit_files):
    """The same without a shutdown. What was reported as done a while ago is still so."""
    scene(podctl)
    vm.sh('sync')
    vm.power_cut()
    wait_for(lambda: vm.run('systemctl', 'is-active', 'back.service', check=False).out == 'active')
    assert statuses(podctl).pop('back') == 'running'
    # Nobody saw its end.
    assert podctl.state('running')['ExitCode'] == 255
    check_scene(vm, podctl)


def check_after_cut(vm, podctl, note):
    """The first commands after the boot work, everything can be removed, and then nothing is left."""
    for words in (('ps', '-a'), ('pod', 'ps'), ('image', 'ls'), 
                  ('run', '--rm', '--network=none', IMAGE, 'true')):
        result = podctl(*words, check=False)
        assert result.code == 0, f'{note}: {result!r}'
    for row in podctl.json('ps', '-a', '--format', 'json'):
        assert row['State'] in ('created', 'exited'), f'{note}: {row}'
        podctl('inspect', row['Id'])
    for words in (('pod', 'rm', '-f', '-a', '-t', '0'), ('rm', '-f', '-a', '-t', '0')):
        result = podctl(*words, check=False)
        assert result.code == 0 and not result.stderr, f'{note}: {result!r}'
    for name in ('one', 'two'):
        # It may be there or not; when it is there, it is whole.
        if podctl('image', 'inspect', f'localhost/{name}:latest', check=False).code == 0:
            podctl('run', '--rm', '--network=none', f'localhost/{name}:latest', '/bin/busybox', 'true')
            podctl('image', 'rm', f'localhost/{name}:latest')
        podctl('run', '--rm', '--name', f'{name}-a', '--network=none', IMAGE, '/bin/busybox', 'true')
    left = vm.sh('find /var/lib/podctl/containers /var/lib/podctl/pods /var/lib/podctl/names -mindepth 1', check=False)
    assert not left.stdout, f'{note}: {left!r}'


def cuts(vm, podctl, seed, rounds):
    chance = random.Random(seed)
    for number in range(rounds):
        vm.write('/root/load', LOAD)
        for name in ('one', 'two'):
            vm.sh(f'sh /root/load {name} > /root/load-{name}.log 2>&1 &')
        # What was half done must reach the disk, or every cut shows the same picture.
        vm.sh('while :; do sync; sleep 0.3; done > /dev/null 2>&1 &')
        seconds = chance.uniform(0.5, 6)
        try:
            vm.run('sleep', str(seconds))
        finally:
            vm.power_cut()
        check_after_cut(vm, podctl, f'seed {seed}, round {number}, cut after {seconds:.2f} s')


@pytest.mark.limit(240)
def test_C6_power_cuts(vm, podctl):
    """Cut in the middle of runs, creations, imports and removals."""
    seed = random.randrange(1 << 30)
    print(f'seed {seed}')
    cuts(vm, podctl, seed, 1)


@pytest.mark.full
@pytest.mark.limit(3600)
def test_C6_power_cuts_many(vm, podctl):
    seed = random.randrange(1 << 30)
    print(f'seed {seed}')
    cuts(vm, podctl, seed, 100)


def test_imported_image_survives_a_cut(vm, podctl):
    """An import that has ended is on the disk, whole: not empty files under good names."""
    vm.sh('cd /tmp && mkdir -p big && head -c 3000000 /dev/urandom > big/data && cp /usr/lib/podctl-test/probe big/ && '
          'busybox tar -C big -cf big.tar . && sync')
    want = vm.sh('sha256sum < /tmp/big/data').out
    podctl('image', 'import', '/tmp/big.tar', 'localhost/big:latest')
    podctl('create', '--name', 'kept', '--network=none', 'localhost/big:latest', '/probe')
    vm.power_cut()
    assert statuses(podctl) == {'kept': 'created'}
    facts = json.loads(podctl('start', '-a', 'kept').stdout)
    assert facts
    layers = vm.sh('find /var/lib/podctl -name data -size +1000k -exec sha256sum {} +').out
    assert want.split()[0] in layers, layers
    podctl('rm', 'kept')
    podctl('image', 'rm', 'localhost/big:latest')
