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


# ---- modes ----

KINDS = {'--pid': 'pid', '--ipc': 'ipc', '--uts': 'uts', '--cgroupns': 'cgroup', '--network': 'net', '--userns': 'user'}


@pytest.fixture
def target(podctl, image):
    podctl('run', '-d', '--name', 't1', '--network=none', '--uidmap', '0:400000:65536', image, '/probe', 'sleep')
    podctl.ready('t1')
    yield 't1'
    podctl('rm', '-f', '-i', '-t', '0', 't1')


def joined(podctl, image, *options):
    """The pid of a container with these options; it goes when the test asks for the next."""
    podctl('rm', '-f', '-i', '-t', '0', 'j1')
    network = () if any(option.startswith('--network') for option in options) else ('--network=none',)
    podctl('run', '-d', '--name', 'j1', *network, *options, image, '/probe', 'sleep')
    return podctl.pid('j1')


@pytest.fixture
def cleared(podctl):
    yield
    podctl('rm', '-f', '-i', '-t', '0', 'j1')


@pytest.mark.parametrize('option', ['--ipc', '--uts', '--cgroupns', '--network', '--userns'])
def test_join_another_container(podctl, image, target, cleared, option):
    kind, pid = KINDS[option], podctl.pid(target)
    mine = joined(podctl, image, f'{option}=container:{target}')
    assert namespace(mine, kind) == namespace(pid, kind)
    for other in set(KINDS.values()) - {kind, 'user'}:
        assert namespace(mine, other) != namespace(pid, other), other
    by_path = joined(podctl, image, f'{option}=ns:/proc/{pid}/ns/{kind}')
    assert namespace(by_path, kind) == namespace(pid, kind)


def test_join_the_processes_of_another(podctl, image, cleared):
    podctl('run', '-d', '--name', 't2', '--network=none', image, '/probe', 'sleep')
    pid = podctl.pid('t2')
    mine = joined(podctl, image, '--pid=container:t2')
    assert namespace(mine, 'pid') == namespace(pid, 'pid')
    assert podctl('exec', 'j1', 'cat', '/proc/1/comm').out == 'probe'
    assert podctl('inspect', '--format', '{{.HostConfig.PidMode}}', 'j1').out == \
        f'container:{podctl.inspect("t2")["Id"]}'
    podctl('rm', '-f', '-t', '0', 't2')


def test_join_several(podctl, image, target, cleared):
    podctl('run', '-d', '--name', 't2', '--network=none', image, '/probe', 'sleep')
    one, two = podctl.pid(target), podctl.pid('t2')
    mine = joined(podctl, image, '--uts=container:t2', f'--network=container:{target}', '--pid=container:t2',
                  f'--ipc=ns:/proc/{one}/ns/ipc')
    for kind, pid in (('uts', two), ('pid', two), ('net', one), ('ipc', one)):
        assert namespace(mine, kind) == namespace(pid, kind), kind
    podctl('rm', '-f', '-t', '0', 'j1', 't2')


def test_shared_memory_comes_with_ipc(podctl, image, target):
    podctl('exec', target, 'sh', '-c', 'echo here >/dev/shm/x')
    assert podctl('run', '--rm', '--network=none', f'--ipc=container:{target}', image, 'cat', '/dev/shm/x').out == 'here'
    result = podctl('run', '--rm', '--network=none', '--ipc=none', image, 'grep', '-c', '/dev/shm', '/proc/mounts',
                    check=False)
    assert result.out == '0'


@pytest.mark.parametrize('mode', ['private', 'none'])
def test_private_ipc_is_not_joined(podctl, image, mode):
    podctl('run', '-d', '--name', 'p1', '--network=none', f'--ipc={mode}', image, '/probe', 'sleep')
    assert 'shareable' in podctl.fails(125, 'create', '--ipc=container:p1', image, 'true')
    podctl('rm', '-f', '-t', '0', 'p1')


@pytest.mark.parametrize('option', sorted(KINDS))
def test_joining_what_is_gone(podctl, image, option):
    """A name is meant when the container is made; a stopped or removed one cannot be joined."""
    assert 'gone' in podctl.fails(125, 'create', '--name', 'j2', f'{option}=container:gone', image, 'true')
    network = () if option == '--network' else ('--network=none',)
    podctl('create', '--name', 'd1', '--network=none', image, 'true')
    podctl('create', '--name', 'j2', *network, f'{option}=container:d1', image, 'true')
    assert 'not running' in podctl.fails(125, 'start', 'j2')
    podctl('rm', 'd1')
    podctl('run', '-d', '--name', 'd1', '--network=none', image, '/probe', 'sleep')
    assert 'no such container' in podctl.fails(125, 'start', 'j2')
    podctl('rm', '-f', '-t', '0', 'd1', 'j2')


@pytest.mark.parametrize('options', [
    ['--pid=none'], ['--pid=shareable'], ['--pid=x'], ['--pid=pod'], ['--ipc=ns:x'], ['--uts=none'],
    ['--uts=container:a', '--hostname', 'x'], ['--uts=host', '--hostname', 'x'], ['--cgroupns=y'],
    ['--ipc=none', '--shm-size', '1m'], ['--uts=ns:/etc/passwd'], ['--ipc=ns:/proc/self/ns/uts'],
    ['--pid=ns:/nonexistent'], ['--network=ns:/dev/null'], ['--network=container:x', '--publish', '80'],
])
def test_bad_modes_are_refused(podctl, image, options):
    network = () if options[0].startswith('--network') else ('--network=none',)
    podctl.fails(125, 'run', '--rm', '--name', 'bad', *network, *options, image, 'true')
    assert podctl('container', 'exists', 'bad', check=False).code == 1


@pytest.mark.parametrize('share, shared', [
    ('+pid', 'net ipc uts pid'), ('+pid,cgroup', 'net ipc uts pid cgroup'), ('-uts', 'net ipc'), ('none', ''),
    ('net,pid', 'net pid'), ('cgroup', 'cgroup'), ('ipc,user', 'ipc'),
])
def test_share(podctl, image, share, shared):
    podctl('pod', 'create', '--name', 'sh', f'--share={share}')
    try:
        one = podctl.pid(podctl.pod_add('sh', image, '/probe', 'sleep'))
        infra = podctl.infra_pid('sh')
        for kind in ('net', 'ipc', 'uts', 'pid', 'cgroup'):
            assert (namespace(one, kind) == namespace(infra, kind)) == (kind in shared.split()), kind
            assert namespace(one, kind) != namespace('self', kind), kind
        assert set(podctl.pod_inspect('sh')['SharedNamespaces']) == set(shared.split())
    finally:
        podctl('pod', 'rm', '-f', '-t', '0', 'sh')


def test_modes_of_a_pod(podctl, image):
    podctl('pod', 'create', '--name', 'pm', '--share=+pid', '--pid=host', '--uts=host')
    try:
        one = podctl.pid(podctl.pod_add('pm', image, '/probe', 'sleep'))
        assert namespace(one, 'pid') == namespace('self', 'pid')
        assert namespace(one, 'uts') == namespace('self', 'uts')
        own = podctl.pid(podctl.pod_add('pm', image, '/probe', 'sleep', options=['--pid=private', '--uts=private']))
        assert namespace(own, 'pid') != namespace('self', 'pid')
    finally:
        podctl('pod', 'rm', '-f', '-t', '0', 'pm')
    for options in (['--pid=host'], ['--share=net', '--uts=host'], ['--share=+pid', '--pid=container:x']):
        podctl.fails(125, 'pod', 'create', '--name', 'pm', *options)


def test_member_asks_for_the_pods(podctl, image):
    podctl('pod', 'create', '--name', 'pp', '--share=net')
    try:
        assert 'does not share' in podctl.fails(125, 'run', '--rm', '--pod', 'pp', '--uts=pod', image, 'true')
    finally:
        podctl('pod', 'rm', '-f', '-t', '0', 'pp')


def host_values():
    names = ('net/ipv4/ip_forward', 'kernel/shmmax', 'kernel/domainname', 'net/ipv4/ip_unprivileged_port_start')
    values = {}
    for name in names:
        try:
            with open(f'/proc/sys/{name}', encoding='ascii') as stream:
                values[name] = stream.read()
        except FileNotFoundError:
            pass
    return values


def vuln_B3_06_sysctls_of_the_host(podctl, image):
    """A sysctl never reaches the host: not by a mode, not by a pod, not by a container that has the host's."""
    before = host_values()
    port, shm, domain = ('--sysctl', 'net.ipv4.ip_unprivileged_port_start=99'), ('--sysctl', 'kernel.shmmax=4097'), \
        ('--sysctl', 'kernel.domainname=evil')
    for options in (['--network=host', *port], ['--network=none', '--ipc=host', *shm],
                    ['--network=none', '--uts=host', *domain], ['--network=ns:/proc/self/ns/net', *port]):
        assert options[-1].split('=')[0] in podctl.fails(125, 'run', '--rm', *options, image, 'true')
    podctl.fails(125, 'pod', 'create', '--name', 'b', '--network=host', *port)
    podctl.fails(125, 'pod', 'create', '--name', 'b', '--share=net', *shm)
    podctl.fails(125, 'pod', 'create', '--name', 'b', '--uts=host', *domain)
    podctl('pod', 'create', '--name', 'b', '--network=host')
    podctl.fails(125, 'run', '--rm', '--pod', 'b', *port, image, 'true')
    podctl('pod', 'rm', '-f', 'b')
    podctl('run', '-d', '--name', 'h1', '--network=host', '--ipc=host', '--uts=host', image, '/probe', 'sleep')
    for options in (['--network=container:h1', *port], ['--network=none', '--ipc=container:h1', *shm],
                    ['--network=none', '--uts=container:h1', *domain]):
        assert options[-1].split('=')[0] in podctl.fails(125, 'run', '--rm', *options, image, 'true')
    podctl('rm', '-f', '-t', '0', 'h1')
    assert host_values() == before


def visible(podctl, image, *options):
    result = podctl('run', '--rm', '--network=none', *options, image, 'sh', '-c',
                    'ls -d /proc/[0-9]* | wc -l; cat /proc/1/comm; grep -vc "^0* " /proc/kallsyms 2>/dev/null || true')
    words = result.stdout.split()
    return int(words[0]), words[1], words[2:]


def vuln_B3_09_who_sees_which_processes(podctl, image):
    with open('/proc/1/comm', encoding='ascii') as stream:
        host_one = stream.read().strip()
    podctl('run', '-d', '--name', 'v1', '--network=none', image, '/probe', 'sleep')
    for options in ((), ('--uidmap', '0:400000:65536')):
        many, first, symbols = visible(podctl, image, *options)
        assert many <= 5 and first == 'sh' and symbols in ([], ['0'])
        many, first, symbols = visible(podctl, image, '--pid=host', *options)
        assert many > 3 and first == host_one and symbols in ([], ['0'])
    many, first, symbols = visible(podctl, image, '--pid=container:v1')
    assert many <= 6 and first == 'probe' and symbols in ([], ['0'])
    podctl('rm', '-f', '-t', '0', 'v1')


def sec_A06_1_host_processes_in_a_user_namespace(podctl, image):
    """/proc is the host's, seen by nobody in particular: its settings stay out of reach."""
    result = podctl('run', '--rm', '--network=none', '--pid=host', '--uidmap', '0:400000:65536', image, 'sh', '-c',
                    'grep " /proc proc" /proc/mounts | head -n 1; echo x >/proc/sys/kernel/core_pattern; '
                    'cat /proc/1/environ; kill -0 1', check=False)
    flags = result.stdout.splitlines()[0].split()[3].split(',')
    assert {'nosuid', 'nodev', 'noexec'} <= set(flags)
    assert len(result.stdout.splitlines()) == 1 and result.code != 0
