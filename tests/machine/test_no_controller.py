# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the kernel has no memory controller, asking for its limit is an error that says so."""
import pytest

from lib.guest_podctl import IMAGE

pytestmark = pytest.mark.kernel('cgroup_disable=memory')


def test_missing_controller_is_named(vm, podctl):
    assert 'memory' not in vm.read('/sys/fs/cgroup/cgroup.controllers').split()
    for option in ('--memory=64m', '--memory-reservation=64m'):
        line = podctl.fails(125, 'run', '--rm', '--name', 'c', '--network=none', option, IMAGE, 'true')
        assert option.split('=')[0] in line and 'controller' in line and '"memory"' in line, line
    podctl.fails(125, 'inspect', 'c')


def test_what_was_not_asked_works(podctl):
    out = podctl('run', '--rm', '--network=none', '--pids-limit=33', IMAGE, 'cat', '/sys/fs/cgroup/pids.max').out
    assert out == '33'
    assert podctl('run', '--rm', '--network=none', IMAGE, 'cat', '/sys/fs/cgroup/pids.max').out == '2048'


def test_pod_limit_is_refused_too(podctl):
    result = podctl('pod', 'create', '--name', 'p', '--network=none', '--memory=64m', check=False)
    if result.code == 0:
        result = podctl('pod', 'start', 'p', check=False)
    assert result.code != 0 and 'memory' in result.stderr, repr(result)
    podctl('pod', 'rm', '-f', '-t', '0', '--ignore', 'p')


def test_stats_without_memory(podctl):
    podctl.sleeper('c')
    podctl('stats', '--no-stream', 'c')
    podctl('rm', '-f', '-t', '0', 'c')
