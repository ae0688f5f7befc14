# SPDX-License-Identifier: LGPL-2.1-or-later
"""What members of a pod share and what they do not."""
import pytest

from lib.command import namespace

SHARED = ('net', 'ipc', 'uts')
OWN = ('pid', 'mnt')


@pytest.fixture
def pod(podctl, image):
    podctl('pod', 'create', '--name', 'ns')
    yield 'ns'
    podctl('pod', 'rm', '-f', '-t', '0', 'ns')


def test_siblings_share_net_ipc_uts_with_the_infra(podctl, image, pod):
    one = podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'one'])
    two = podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'two'])
    infra = podctl.infra_pid(pod)
    for kind in SHARED:
        inodes = {namespace(pid, kind) for pid in (podctl.pid(one), podctl.pid(two), infra)}
        assert len(inodes) == 1, kind
        assert inodes != {namespace('self', kind)}, f'{kind} is the host\'s'
    for kind in OWN:
        inodes = {namespace(pid, kind) for pid in (podctl.pid(one), podctl.pid(two), infra, 'self')}
        assert len(inodes) == 4, kind


def test_cgroup_namespace_is_own(podctl, image):
    facts = podctl.facts('--network=none')
    assert facts['namespaces']['cgroup'] != namespace('self', 'cgroup')


def test_user_namespace_is_the_hosts(podctl, image):
    facts = podctl.facts('--network=none')
    assert facts['namespaces']['user'] == namespace('self', 'user')


def test_share_list(podctl, image):
    podctl('pod', 'create', '--name', 'few', '--share', 'net')
    try:
        one = podctl.pid(podctl.pod_add('few', image, '/probe', 'sleep'))
        infra = podctl.infra_pid('few')
        assert namespace(one, 'net') == namespace(infra, 'net')
        assert namespace(one, 'uts') != namespace(infra, 'uts')
    finally:
        podctl('pod', 'rm', '-f', '-t', '0', 'few')


def test_hostname_of_a_pod_is_its_name(podctl, image, pod):
    podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'one'])
    assert podctl.exec_facts('one')['hostname'] == 'ns'


def test_exec_joins_the_container(podctl, image, pod):
    one = podctl.pid(podctl.pod_add(pod, image, '/probe', 'sleep', options=['--name', 'one']))
    facts = podctl.exec_facts('one')
    for kind in SHARED + OWN:
        assert facts['namespaces'][kind] == namespace(one, kind), kind


def test_host_mount_table_is_unchanged(podctl, image, pod):
    """D6: no mount of ours in the host's table, also while containers run."""
    from lib import leaks
    before = leaks.mounts()
    podctl.pod_add(pod, image, '/probe', 'sleep')
    assert leaks.mounts() == before
