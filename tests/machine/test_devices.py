# SPDX-License-Identifier: LGPL-2.1-or-later
"""The device program of a container's cgroup is there from the start and stays: security.md A05, B5."""
import pytest

from lib.guest_podctl import IMAGE

# What each device says when it is opened; "-" cannot be made.
TRY = r'''
for d in 'b 8 0' 'b 254 0' 'c 10 200' 'c 1 1' 'c 1 2' 'c 10 144' 'c 1 3' 'c 1 5' 'c 1 9'; do
	n=/tmp/$(echo $d | tr -d ' ')
	rm -f $n
	if ! mknod $n $d; then echo "$d: -"; continue; fi
	if ! e=$( (: < $n) 2>&1); then :; fi
	case $e in
	*"Operation not permitted"*|*"ermission denied"*) echo "$d: denied" ;;
	*) echo "$d: open" ;;
	esac
done
'''
DENIED = ['b 8 0: denied', 'b 254 0: denied', 'c 10 200: denied', 'c 1 1: denied', 'c 1 2: denied', 'c 10 144: denied',
          'c 1 3: open', 'c 1 5: open', 'c 1 9: open']


def tried(podctl, *words):
    return podctl(*words, 'sh', '-c', TRY).out.split('\n')


# /tmp of the image is on the root file system, where nodes work.
CAN_MAKE = ('--network=none', '--cap-add=MKNOD')


def sec_A05_devices(podctl):
    """Without the capability no node can be made; with it, it can, and is of no use."""
    assert tried(podctl, 'run', '--rm', '--network=none', IMAGE) == [line.split(':')[0] + ': -' for line in DENIED]
    assert tried(podctl, 'run', '--rm', *CAN_MAKE, IMAGE) == DENIED


def test_A05_5_pod_member(podctl):
    podctl('pod', 'create', '--name', 'p', '--network=none')
    podctl('pod', 'add', '--name', 'm', '--cap-add=MKNOD', 'p', IMAGE, '/probe', 'sleep')
    assert tried(podctl, 'exec', 'm') == DENIED
    podctl('pod', 'rm', '-f', '-t', '0', 'p')


def vuln_B5_04_rules_never_allow_all(podctl):
    """Only allowing, only denying, none at all: what is not allowed stays denied."""
    allowed = tried(podctl, 'run', '--rm', *CAN_MAKE, '--device-cgroup-rule=c 10:200 rwm', IMAGE)
    assert [line for line in allowed if line not in DENIED] == ['c 10 200: open']
    assert tried(podctl, 'run', '--rm', *CAN_MAKE, '--device', '/dev/vdb', IMAGE) == DENIED


def sec_A05_4_device(vm, podctl):
    """--device opens just that one, with just that access."""
    out = podctl('run', '--rm', '--network=none', '--device', '/dev/vdb:/dev/disk:r', IMAGE, 'sh', '-c',
                 'dd if=/dev/disk of=/dev/null bs=4k count=1 2>/dev/null && echo read; '
                 '(: > /dev/disk) 2>/dev/null || echo no write').out
    assert out == 'read\nno write'
    assert vm.sh('cat /proc/partitions').code == 0


def sec_A12_privileged_opens_devices(podctl):
    out = podctl('run', '--rm', '--network=none', '--privileged', IMAGE, 'sh', '-c',
                 'mknod /tmp/disk b 254 16 && dd if=/tmp/disk of=/dev/null bs=4k count=1 2>/dev/null && echo read').out
    assert out == 'read'


@pytest.mark.parametrize('rounds', [pytest.param(10, id='short'), pytest.param(100, id='long', marks=pytest.mark.full)])
def vuln_B5_05_rules_stay(vm, podctl, rounds):
    """After an update, a freeze, and many reloads of systemd, also of itself."""
    podctl.sleeper('c', '--cap-add=MKNOD')
    podctl('update', '--memory=64m', '--cpus=0.9', 'c')
    assert tried(podctl, 'exec', 'c') == DENIED
    podctl('pause', 'c')
    podctl('unpause', 'c')
    assert tried(podctl, 'exec', 'c') == DENIED
    vm.sh('for i in $(seq "$1"); do systemctl daemon-reload; done; systemctl daemon-reexec', rounds, seconds=150)
    assert tried(podctl, 'exec', 'c') == DENIED
    assert podctl.knob('c', 'memory.max') == str(64 * 1024 * 1024)
    podctl('rm', '-f', '-t', '0', 'c')
