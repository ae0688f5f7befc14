# SPDX-License-Identifier: LGPL-2.1-or-later
"""Masks, kernel parameters, labels, files of ours, the infra process, the binaries: part A."""
import glob
import os
import re
import stat
import subprocess

import pytest

from lib.command import IS_PODMAN, namespace, wait_for

pytestmark = pytest.mark.skipif(IS_PODMAN, reason='podctl is stricter here')
NONE = '--network=none'
MASKED = ('/proc/acpi /proc/asound /proc/config.gz /proc/interrupts /proc/kallsyms /proc/kcore /proc/key-users /proc/keys '
          '/proc/kpagecgroup /proc/kpagecount /proc/kpageflags /proc/latency_stats /proc/sched_debug /proc/scsi '
          '/proc/timer_list /proc/timer_stats /proc/vmallocinfo /sys/devices/virtual/powercap /sys/firmware /sys/fs/bpf '
          '/sys/fs/selinux /sys/kernel/debug /sys/kernel/security /sys/kernel/tracing /sys/module').split()
THERMAL = glob.glob('/sys/devices/system/cpu/cpu*/thermal_throttle')
READ_ONLY = '/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger'.split()


def shell(podctl, script, *options, check=True):
    return podctl('run', '--rm', NONE, *options, 'localhost/test:latest', 'sh', '-c', script, check=check)


def mount_rows(facts):
    """[(root, mount point, options, type, device)]"""
    rows = []
    for line in facts['mountinfo'].strip().split('\n'):
        left, right = line.split(' - ')
        words = left.split()
        rows.append((words[3], words[4], set(words[5].split(',')), right.split()[0], words[2]))
    return rows


SHOW = '''for p in {paths}; do
	if [ -d $p ]; then echo "$p $(ls -A $p | wc -l)"; elif [ -e $p ]; then echo "$p $(cat $p | wc -c)"; fi
	(echo x > $p) 2>/dev/null && [ ! -c $p ] && echo "$p written"
	(mkdir $p/x) 2>/dev/null && echo "$p made"
done; true'''


def sec_A04_1_directories(podctl, image):
    """Empty, read-only, one file system for all of them."""
    rows = [row for row in mount_rows(podctl.facts(NONE)) if row[1] in MASKED + THERMAL and row[3] == 'tmpfs'
            and os.path.isdir(row[1])]
    assert rows and len({row[4] for row in rows}) == 1
    for row in rows:
        assert {'ro', 'nosuid', 'nodev', 'noexec'} <= row[2], row


def sec_A04_2_files(podctl, image, rootfs, tmp_path):
    """The host's null device, whatever the image calls /dev/null."""
    root = tmp_path / 'root'
    subprocess.run(['cp', '-a', rootfs, str(root)], check=True)
    for entry in ('link', 'missing'):
        null = root / 'dev' / 'null'
        null.unlink(missing_ok=True)
        if entry == 'link':
            os.symlink('/proc/sysrq-trigger', null)
        out = podctl('run', '--rm', NONE, '--rootfs', root, '/bin/stat', '-c', '%n %F %t:%T', '/proc/keys',
                     '/proc/timer_list').out
        assert [line.split(' ', 1)[1] for line in out.split('\n')] == ['character special file 1:3'] * 2


@pytest.mark.parametrize('options', [(), ('--user', '1000'), ('--read-only',), ('--cap-add', 'SYS_PTRACE')])
def sec_A04_3_every_path(podctl, image, options):
    """Nothing to read, nothing to list, nothing to write: each path of the table."""
    out = shell(podctl, SHOW.format(paths=' '.join(MASKED + THERMAL)), *options).out
    assert 'written' not in out and 'made' not in out
    bad = [line for line in out.split('\n') if line and not line.endswith(' 0')]
    assert not bad
    assert len(out.split('\n')) > 8


def sec_A04_3_nested_namespaces(podctl, image):
    """Who may make namespaces inside cannot take the masks off."""
    script = SHOW.format(paths=' '.join(MASKED)) + '''
for p in /proc/keys /proc/kcore /proc/timer_list /sys/firmware /sys/module /proc/sys /proc; do
	umount $p 2>/dev/null && echo "$p unmounted"; umount -l $p 2>/dev/null && echo "$p unmounted"
	mount -o remount,rw $p 2>/dev/null && echo "$p writable"
done
mount -t proc proc /mnt 2>/dev/null && echo proc mounted
mount -t sysfs sysfs /mnt 2>/dev/null && echo sysfs mounted; true'''
    for wrapped in (f'unshare -Urm sh -c \'{script}\'', f'unshare -Urmpf sh -c \'{script}\''):
        done = podctl('run', '--rm', NONE, '--security-opt', 'seccomp=unconfined', 'localhost/test:latest', 'sh', '-c',
                      wrapped, check=False)
        if 'unshare' in done.stderr and done.code:
            pytest.skip(f'no nested user namespaces: {done.stderr.strip()}')
        assert not [line for line in done.out.split('\n') if line and not line.endswith(' 0')], repr(done)


def sec_A04_4_relative_paths(podctl, image):
    for value in ('proc/x', 'x', './x'):
        assert value in podctl.fails(125, 'run', '--rm', NONE, '--security-opt', f'mask={value}', image, 'true')
    for value in ('/no/such', '/etc/no', '/etc/passwd/no'):
        podctl('run', '--rm', NONE, '--security-opt', f'mask={value}', image, 'true')
    out = shell(podctl, 'cat /etc/hosts; ls -A /www; echo end', '--security-opt', 'mask=/etc/hosts:/www').out
    assert out == 'end'


def sec_A04_4_a_failure_is_no_missing_target(podctl, image, rootfs, tmp_path):
    root = tmp_path / 'root'
    subprocess.run(['cp', '-a', rootfs, str(root)], check=True)
    os.symlink('loop', root / 'loop')
    assert 'mask' in podctl.fails(125, 'run', '--rm', NONE, '--security-opt', 'mask=/loop', '--rootfs', root, '/bin/true')


def sec_A04_5_unmask(podctl, image):
    rows = {row[1] for row in mount_rows(podctl.facts(NONE, '--security-opt', 'unmask=ALL'))}
    assert not rows & set(MASKED + READ_ONLY)
    rows = {row[1] for row in mount_rows(podctl.facts(NONE, '--security-opt', 'unmask=/proc/*'))}
    assert '/sys/firmware' in rows and not rows & {path for path in MASKED if path.startswith('/proc')}
    options = {row[1]: row[2] for row in mount_rows(podctl.facts(NONE))}
    assert 'ro' in options['/sys/fs/cgroup']


def sec_A04_6_mount_table(podctl, image):
    """Masks, read-only paths and flags are those that were meant; nothing else is mounted."""
    rows = mount_rows(podctl.facts(NONE))
    points = {row[1]: row for row in rows}
    system = {'/', '/proc', '/sys', '/sys/fs/cgroup', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue', '/etc/hosts',
              '/etc/resolv.conf', '/etc/hostname', '/run/.containerenv'}
    for path in MASKED + THERMAL:
        if os.path.exists(path) and path != '/proc/asound':
            assert path in points, path
    for path in READ_ONLY:
        if os.path.exists(path):
            assert {'ro', 'nosuid', 'nodev', 'noexec'} <= points[path][2], path
    assert not set(points) - system - set(MASKED + THERMAL + READ_ONLY), sorted(set(points) - system)
    assert len(points) == len(rows)


def sec_A06_1_proc(podctl, image):
    row = [row for row in mount_rows(podctl.facts(NONE)) if row[1] == '/proc'][0]
    assert row[3] == 'proc' and {'nosuid', 'nodev', 'noexec'} <= row[2]
    assert shell(podctl, 'ls /proc | grep -c "[a-z]"', '--security-opt', 'proc-opts=subset=pid').out == '2'
    assert 'hidepid=2' in podctl.facts(NONE, '--security-opt', 'proc-opts=hidepid=2')['mountinfo'].replace(
        'hidepid=invisible', 'hidepid=2')
    for value in ('hidepid=x', 'subset=all', 'gid=1', 'rw', ''):
        line = podctl.fails(125, 'run', '--rm', NONE, '--security-opt', f'proc-opts={value}', image, 'true')
        assert 'proc-opts' in line or value in line


def sec_A06_2_sys(podctl, image):
    for options in ((NONE,), ('--network=host',), (NONE, '--user', '1000')):
        rows = {row[1]: row for row in mount_rows(podctl.facts(*options))}
        assert {'nosuid', 'nodev', 'noexec', 'ro'} <= rows['/sys'][2] and rows['/sys'][3] == 'sysfs'
    assert shell(podctl, 'echo 1 > /sys/kernel/mm/ksm/run || echo no', check=False).out == 'no'


def sec_A06_3_cgroup(podctl, image):
    rows = {row[1]: row for row in mount_rows(podctl.facts(NONE))}
    assert {'nosuid', 'nodev', 'noexec', 'ro'} <= rows['/sys/fs/cgroup'][2]
    assert rows['/sys/fs/cgroup'][0] == '/' and rows['/sys/fs/cgroup'][3] == 'cgroup2'
    assert podctl.facts(NONE)['cgroup'].strip().split('\n')[-1] == '0::/'
    assert shell(podctl, 'mkdir /sys/fs/cgroup/x || echo no', check=False).out == 'no'


# name=value, does it work with private namespaces, with those of the host
SETTINGS = [
    ('net.ipv4.ip_forward=1', True, False), ('net/ipv4/ip_forward=1', True, False),
    ('net.ipv4.conf.all.rp_filter=1', True, False), ('net/ipv4/conf/lo/rp_filter=1', True, False),
    ('net.core.somaxconn=512', True, False), ('net.ipv4.ping_group_range=0 5', True, False),
    ('kernel.msgmax=4096', True, False), ('kernel.msgmnb=4096', True, False), ('kernel.msgmni=100', True, False),
    ('kernel.sem=250 32000 32 128', True, False), ('kernel.shmall=100000', True, False),
    ('kernel.shmmax=100000', True, False), ('kernel.shmmni=100', True, False), ('kernel.shm_rmid_forced=1', True, False),
    ('fs.mqueue.msg_max=20', True, False), ('fs/mqueue/queues_max=20', True, False),
    ('kernel.domainname=x', True, False),
    ('kernel.hostname=x', False, False), ('kernel.core_pattern=x', False, False), ('kernel.modprobe=/x', False, False),
    ('kernel/core_pattern=x', False, False), ('kernel.sysrq=1', False, False), ('kernel.pid_max=100', False, False),
    ('vm.overcommit_memory=1', False, False), ('fs.file-max=10', False, False), ('fs.mqueue=1', False, False),
    ('user.max_user_namespaces=0', False, False), ('dev.tty.ldisc_autoload=1', False, False),
    ('net/../kernel/core_pattern=x', False, False), ('net.ipv4...=x', False, False), ('net.=1', False, False),
    ('fs.mqueue./../x=1', False, False), ('fs/mqueue/../../kernel/core_pattern=1', False, False),
    ('net.ipv4.conf.a/b.c=1', False, False), ('kernel.shm_rmid_forced+kernel.core_pattern=1', False, False),
    ('/net/ipv4/ip_forward=1', False, False), ('net=1', False, False), ('=1', False, False), ('net.ipv4.ip_forward', False,
                                                                                            False),
    ('net.ipv4.ip_forward=1\nkernel.core_pattern=x', False, False), ('net.ipv4.ip\n_forward=1', False, False),
    ('net.core.somaxconn=' + '1' * 65536, False, False), ('net.core.some\x01=1', False, False),
    ('kernel.shmmax=1 kernel.core_pattern=x', False, False), ('kernel.msgmaxx=1', False, False),
]


def host_settings():
    values = {}
    for name in ('kernel/core_pattern', 'kernel/modprobe', 'kernel/sysrq', 'kernel/shmmax', 'kernel/msgmax',
                 'kernel/shm_rmid_forced', 'net/ipv4/ip_forward', 'net/core/somaxconn', 'kernel/hostname',
                 'kernel/domainname', 'fs/mqueue/msg_max', 'vm/overcommit_memory', 'user/max_user_namespaces'):
        try:
            with open(f'/proc/sys/{name}', encoding='ascii') as stream:
                values[name] = stream.read()
        except OSError:
            pass
    return values


@pytest.mark.parametrize('setting,good,unused', SETTINGS, ids=[row[0][:40].replace('\n', '+') for row in SETTINGS])
def sec_A08(podctl, image, setting, good, unused):
    """security: A08.1 A08.3 A08.4, B3-05"""
    before = host_settings()
    done = podctl('run', '--rm', NONE, '--sysctl', setting, image, 'true', check=False)
    assert host_settings() == before
    if good:
        assert done.code == 0 or 'No such file' in done.stderr, repr(done)[:500]
    else:
        assert done.code in (125, 126), repr(done)[:500]
        assert len(done.stderr.strip().split('\n')) == 1


@pytest.mark.parametrize('options,setting', [
    (('--network=host',), 'net.ipv4.ip_forward=1'), (('--ipc=host', NONE), 'kernel.shmmax=1'),
    (('--ipc=host', NONE), 'fs.mqueue.msg_max=11'), (('--uts=host', NONE), 'kernel.domainname=x'),
    (('--network=host', '--ipc=host'), 'kernel.msgmax=1')])
def sec_A08_1_host_namespaces(podctl, image, options, setting):
    """security: B3-06"""
    before = host_settings()
    line = podctl.fails(125, 'run', '--rm', *options, '--sysctl', setting, image, 'true')
    assert setting.split('=', maxsplit=1)[0] in line and 'namespace' in line and host_settings() == before


def sec_A08_1_pods(podctl, image):
    """The pod's namespaces decide, not the member's."""
    before = host_settings()
    podctl('pod', 'create', '--name', 'p1', '--network=none')
    line = podctl.fails(125, 'create', '--pod', 'p1', '--sysctl', 'kernel.core_pattern=x', image, 'true') \
        if podctl('create', '--pod', 'p1', '--sysctl', 'kernel.core_pattern=x', image, 'true', check=False).code \
        else podctl.fails(125, 'pod', 'start', 'p1')
    assert 'kernel.core_pattern' in line and host_settings() == before
    podctl('pod', 'rm', '-f', '-t', '0', 'p1')


def sec_A08_2_ping_group_range(podctl, image):
    assert shell(podctl, 'cat /proc/sys/net/ipv4/ping_group_range').out.split() == ['0', '0']


@pytest.mark.parametrize('option', ['label=type:container_t', 'label=level:s0:c1,c2', 'label=user:u', 'label=nested',
                                    'apparmor=podctl-default', 'apparmor=no-such-profile'])
def sec_A13_2_labels_without_a_module(podctl, image, option):
    """security: A13.2, B3-08. What the kernel cannot enforce is refused, not passed over."""
    with open('/sys/kernel/security/lsm', encoding='ascii') if os.path.exists('/sys/kernel/security/lsm') \
            else open(os.devnull, encoding='ascii') as stream:
        modules = stream.read()
    if ('selinux' if option.startswith('label') else 'apparmor') in modules:
        pytest.skip('this kernel has the security module')
    assert option.split('=', maxsplit=1)[0] in podctl.fails(125, 'run', '--rm', NONE, '--security-opt', option, image,
                                                            'true')


def sec_A13_2_asking_for_none(podctl, image):
    for option in ('label=disable', 'apparmor=unconfined'):
        podctl('run', '--rm', NONE, '--security-opt', option, image, 'true')


# Group or others may do something here, on purpose: what a container binds, and its layers.
OPEN = re.compile(r'^/var/lib/podctl/(images/layers|scratch|storage|volumes)/|^/run/podctl/(containers|pods)/[^/]+/(files|notify)/'
                  r'|/upper(/|$)|/work(/|$)|/diff(/|$)')


def open_paths(top):
    """What others may look into: files with group or other bits, below directories that let them in."""
    found = []
    for folder, directories, names in os.walk(top):
        if stat.S_IMODE(os.lstat(folder).st_mode) & 0o077 == 0 and folder != top:
            directories[:] = []
            continue
        for name in names + directories:
            path = f'{folder}/{name}'
            info = os.lstat(path)
            if not stat.S_ISLNK(info.st_mode) and stat.S_IMODE(info.st_mode) & 0o022:
                found.append(f'{path} {stat.S_IMODE(info.st_mode):o} (writable)')
            if stat.S_ISREG(info.st_mode) and stat.S_IMODE(info.st_mode) & 0o077 and not OPEN.search(path):
                found.append(f'{path} {stat.S_IMODE(info.st_mode):o}')
    return found


def as_nobody(script):
    return subprocess.run(['/usr/bin/python3', '-c', f'import os\nos.setgroups([])\nos.setgid(1000)\nos.setuid(1000)\n{script}'],
                          capture_output=True, text=True, timeout=20, check=False)


def sec_A19_1_state_directories(podctl, image):
    """security: A19.1 A19.2, B9-04 B13-03. Another user finds nothing, by name or by list."""
    podctl('pod', 'create', '--name', 'p1')
    podctl.pod_add('p1', image, '/probe', 'sleep', options=['--name', 'm1', '-v', 'vol1:/v'])
    podctl('run', '-d', '--name', 'c1', NONE, image, '/probe', 'sleep')
    for top in ('/run/podctl', '/var/lib/podctl'):
        info = os.stat(top)
        assert info.st_uid == 0 and stat.S_IMODE(info.st_mode) & 0o066 == 0, top
        assert not open_paths(top)
    out = as_nobody('''
for top in ("/run/podctl", "/var/lib/podctl"):
    for folder, directories, names in os.walk(top):
        print(folder, directories, names)
        for name in names:
            try:
                open(os.path.join(folder, name)).close()
                print("read", name)
            except OSError:
                pass''')
    seen = [line for line in out.stdout.split('\n') if line and not line.endswith(' [] []')]
    assert not seen and out.returncode == 0, seen
    podctl('pod', 'rm', '-f', '-t', '0', 'p1')
    podctl('rm', '-f', '-t', '0', 'c1')
    podctl('volume', 'rm', 'vol1')


def sec_A19_2_umask_of_the_caller(podctl, image):
    """Modes are ours, whatever mask the caller has."""
    line = ' '.join(podctl.words('run', '-d', '--name', 'c1', NONE, image, '/probe', 'sleep'))
    subprocess.run(['sh', '-c', f'umask 0; exec {line}'], check=True, timeout=20, capture_output=True)
    assert not open_paths('/run/podctl') and not open_paths('/var/lib/podctl')
    podctl('rm', '-f', '-t', '0', 'c1')


def sec_A19_3_locks(podctl, image, tmp_path):
    """A lock that is a link is not followed, and nothing of ours is taken for a lock of others."""
    podctl('ps')
    locks = [path for path in glob.glob('/run/podctl/**/*lock*', recursive=True) if os.path.isfile(path)]
    for path in locks:
        info = os.lstat(path)
        assert stat.S_ISREG(info.st_mode) and stat.S_IMODE(info.st_mode) & 0o077 == 0 and info.st_nlink == 1, path


def sec_A19_4_sockets(podctl, image):
    """security: A19.4, B7-07. No abstract socket, and none in a directory of others."""
    def abstract():
        with open('/proc/net/unix', encoding='ascii', errors='replace') as stream:
            return {line.split()[-1] for line in stream if len(line.split()) > 7 and line.split()[-1].startswith('@')}
    before = abstract()
    podctl('run', '-d', '--name', 'c1', '--network=host', '-i', image, '/probe', 'sleep')
    assert abstract() == before
    for path in glob.glob('/run/podctl/**/*', recursive=True):
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            folder = os.stat(os.path.dirname(path))
            assert stat.S_IMODE(folder.st_mode) & 0o077 == 0 or stat.S_IMODE(os.stat('/run/podctl').st_mode) & 0o077 == 0
    podctl('rm', '-f', '-t', '0', 'c1')


def sec_A19_5_what_a_container_writes(podctl, image):
    """Datagrams of a container are read, bounded, and make nothing wrong."""
    podctl('run', '-d', '--name', 'c1', NONE, '--sdnotify', 'container', image, 'sh', '-c',
           'for i in 1 2 3 4 5; do head -c 100000 /dev/urandom; done; exec /probe sleep', check=False)
    if podctl('container', 'exists', 'c1', check=False).code == 0:
        podctl('logs', 'c1')
        assert podctl.running('c1')
        podctl('rm', '-f', '-t', '0', 'c1')


def sec_A20_3_values_are_in_no_title(podctl, image):
    """security: A20.3, B13-05"""
    process = podctl.start('run', '--rm', NONE, '--env', 'SECRET_A20', image, '/probe', 'sleep',
                           env={**os.environ, 'SECRET_A20': 'canary-7261'}, stdout=subprocess.DEVNULL)
    wait_for(lambda: podctl('ps', '-q').out)
    seen = [path for path in glob.glob('/proc/[0-9]*/cmdline')
            if os.path.exists(path) and b'canary-7261' in open(path, 'rb').read()]
    assert not seen
    podctl('rm', '-f', '-a', '-t', '0')
    process.wait(20)


def sec_A22_2_infra(podctl, image):
    """The process that holds a pod: nobody, nothing, and a filter that lets it wait and end."""
    podctl('pod', 'create', '--name', 'h1')
    podctl.pod_add('h1', image, '/probe', 'sleep', options=['--name', 'm1'])
    infra = podctl.infra_pid('h1')
    with open(f'/proc/{infra}/status', encoding='ascii') as stream:
        status = dict(line.rstrip('\n').split(':\t', 1) for line in stream if ':\t' in line)
    assert status['Uid'].split() == status['Gid'].split() == ['65534'] * 4 and status['Groups'].split() == ['65534']
    for kind in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
        assert int(status[kind], 16) == 0, kind
    assert status['NoNewPrivs'] == '1' and status['Seccomp'] == '2' and status['Seccomp_filters'] == '1'
    assert set(os.listdir(f'/proc/{infra}/fd')) <= {'0', '1', '2'} and int(status['Threads']) == 1
    assert {os.readlink(f'/proc/{infra}/fd/{fd}') for fd in os.listdir(f'/proc/{infra}/fd')} <= {'/dev/null', '/null'}
    assert sorted(os.listdir(f'/proc/{infra}/root')) == ['dev']
    for kind in ('mnt', 'pid', 'net', 'ipc', 'uts'):
        assert namespace(infra, kind) != namespace('self', kind), kind
    podctl('pod', 'rm', '-f', '-t', '0', 'h1')


LIBDIR = '/usr/lib/podctl'


def elf(path, *options):
    return subprocess.run(['readelf', '-W', *options, path], capture_output=True, text=True, check=True).stdout


def binaries():
    found = ['/usr/bin/podctl', *glob.glob(f'{LIBDIR}/*'), *glob.glob('/usr/lib/systemd/system-generators/podctl*')]
    return [path for path in found if os.path.isfile(path) and open(path, 'rb').read(4) == b'\x7fELF']


def sec_A23_hardened_binaries(podctl):
    """No writable and executable memory, no lazy binding, positions chosen at random, stack checks."""
    if not subprocess.run(['which', 'readelf'], capture_output=True, check=False).returncode == 0:
        pytest.skip('no readelf')
    assert len(binaries()) >= 5
    for path in binaries():
        headers, dynamic, symbols = elf(path, '-lh'), elf(path, '-d'), elf(path, '-s')
        stack = [line for line in headers.split('\n') if 'GNU_STACK' in line]
        assert stack and 'RWE' not in stack[0], path
        assert not [line for line in headers.split('\n') if line.strip().startswith('LOAD') and 'RWE' in line], path
        if 'There is no dynamic section' in dynamic:
            assert 'EXEC' in headers or 'DYN' in headers, path
            continue
        assert 'GNU_RELRO' in headers and re.search(r'BIND_NOW|FLAGS_1.*NOW', dynamic), path
        assert 'Type:                              DYN' in headers, f'{path} is at a fixed place'
        assert 'RPATH' not in dynamic and 'RUNPATH' not in dynamic and 'TEXTREL' not in dynamic, path
    if not os.environ.get('PODCTL_TEST_SANITIZER_LOGS'):
        symbols = elf('/usr/bin/podctl', '-s')
        assert '__stack_chk_fail' in symbols and '_chk@' in symbols


def sec_A23_no_dangerous_calls():
    """Nothing of ours asks a shell, or copies text without a bound."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    found = []
    for folder in ('pod', 'generator'):
        for path in glob.glob(f'{top}/{folder}/**/*.[ch]', recursive=True):
            with open(path, encoding='utf-8') as stream:
                found += [f'{path}: {line.strip()}' for line in stream
                          if re.search(r'\b(system|popen|gets|v?sprintf|strcpy|strcat|alloca|tmpnam|mktemp)\(', line)]
    assert not found, '\n'.join(found)


def sec_A24_score(podctl, image):
    """Each row of the comparison with others, as it is here. security: A24, B17"""
    facts = podctl.facts(NONE)
    probe = lambda *words: podctl('run', '--rm', NONE, image, '/probe', *words, check=False).out  # noqa: E731
    assert bin(int(facts['CapBnd'], 16)).count('1') == 11
    assert probe('syscall', '272') == probe('syscall', '308') == 'errno 1' and probe('syscall', '435') == 'errno 38'
    assert probe('i386', '102', '1') in ('-38', '')
    root = [row for row in mount_rows(facts) if row[1] == '/'][0]
    assert root[3] == 'overlay' and 'metacopy=on' not in facts['mountinfo'] and 'redirect_dir=on' not in facts['mountinfo']
    assert facts['sid'] == facts['pgid'] == facts['pid'] == 1
