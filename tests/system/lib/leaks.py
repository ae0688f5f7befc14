# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything podctl can leave behind, as plain data to compare: security.md C17.

Taken inside the place of isolate.sh, where all there is to see belongs to the tests.
"""
import json
import os
import re
import subprocess
import time

RUN_DIRECTORIES = ('/run/podctl',)
STATE_DIRECTORIES = ('/var/lib/podctl',)
# Made once and kept by design: filters are cached (D11), layers and images are data.
KEPT = re.compile(r'^/run/podctl/(seccomp|lock|(names|ids)[.]lock)(/|$)|^/var/lib/podctl/(image|layer|layout|storage|cache|overlay|blob)')
# The default network stands for a second after its last container and then goes, by itself: its own
# test looks after that (test_network.py), here it does not count.
IDLE = re.compile(r'^/run/podctl/network/(networks|leases|hints)/podctl$|^/var/lib/podctl/ids$')
CGROUP = '/sys/fs/cgroup/unified' if os.path.exists('/sys/fs/cgroup/unified/cgroup.procs') else '/sys/fs/cgroup'


def processes():
    """pid: command of every process but this one, its parents and short-lived helpers of the session."""
    found = {}
    for entry in os.listdir('/proc'):
        if not entry.isdigit():
            continue
        try:
            with open(f'/proc/{entry}/stat', encoding='utf-8', errors='replace') as stream:
                text = stream.read()
            with open(f'/proc/{entry}/cmdline', encoding='utf-8', errors='replace') as stream:
                words = stream.read().replace('\0', ' ').strip()
        except OSError:
            continue
        name = text[text.index('(') + 1:text.rindex(')')]
        state = text[text.rindex(')') + 2]
        if state == 'Z':
            words = 'zombie'
        elif is_sweeper(entry, name, words):
            continue
        found[int(entry)] = f'{name}: {words}'[:120]
    return found


def is_sweeper(pid, name, words):
    """The process that waits for the default network to be idle for a second."""
    try:
        return name == 'podctl' and ' cleanup ' not in words and os.readlink(f'/proc/{pid}/fd/1') == '/dev/null' \
            and os.getsid(int(pid)) == int(pid)
    except OSError:
        return False


def namespaces():
    found = set()
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            for kind in ('net', 'mnt', 'pid', 'ipc', 'uts', 'cgroup', 'user'):
                try:
                    found.add(os.readlink(f'/proc/{entry}/ns/{kind}'))
                except OSError:
                    pass
    return found


def mounts():
    with open('/proc/self/mountinfo', encoding='utf-8') as stream:
        return sorted(line.split()[4] + ' ' + line.split(' - ')[1].split()[0] for line in stream)


def links():
    """Interfaces besides bridges: the bridge of the default network may be idle, its ports must be gone."""
    done = subprocess.run(['ip', '-d', '-j', 'link'], capture_output=True, text=True, check=True, timeout=10)
    return sorted(link['ifname'] for link in json.loads(done.stdout)
                  if link.get('ifname') and link.get('linkinfo', {}).get('info_kind') != 'bridge')


def firewall():
    """Rules, chains, maps and their elements; of podctl's own table the elements of the port maps."""
    done = subprocess.run(['nft', '-j', 'list', 'ruleset'], capture_output=True, text=True, check=False, timeout=10)
    if done.returncode:
        return []
    rows = []
    for item in json.loads(done.stdout)['nftables']:
        kind, value = next(iter(item.items()))
        if kind in ('metainfo', 'table'):
            continue
        if value.get('table') == 'podctl':
            if kind == 'map':
                rows += [f'{value["name"]} {json.dumps(element)}' for element in value.get('elem', [])]
            continue
        value = {k: v for k, v in value.items() if k != 'handle'}
        text = re.sub(r'"counter": \{[^}]*\}', '"counter": 0', json.dumps(value, sort_keys=True))
        rows.append(f'{kind} {text}')
    return sorted(rows)


def cgroups():
    return sorted(folder for folder, _, _ in os.walk(CGROUP))


def tree(directories):
    rows = []
    for top in directories:
        for folder, directory_names, names in os.walk(top):
            directory_names[:] = [n for n in directory_names if not KEPT.match(f'{folder}/{n}')]
            if not IDLE.match(folder):
                rows.append(f'{folder}/')
            rows += [f'{folder}/{n}' for n in names
                     if not KEPT.match(f'{folder}/{n}') and not IDLE.match(f'{folder}/{n}')]
    return sorted(rows)


def snapshot():
    return {
        'processes': processes(),
        'namespaces': namespaces(),
        'mounts': mounts(),
        'links': links(),
        'nft rules': firewall(),
        'cgroups': cgroups(),
        'run files': tree(RUN_DIRECTORIES),
        'state files': tree(STATE_DIRECTORIES),
    }


def settled(seconds=3.0):
    """A snapshot that did not change for a moment: the kernel takes namespaces down in the background."""
    end = time.monotonic() + seconds
    old = snapshot()
    while True:
        time.sleep(0.1)
        new = snapshot()
        if new == old or time.monotonic() > end:
            return new
        old = new


def difference(before, after):
    """Lines that say what is there now and was not, or the other way round; empty when equal."""
    lines = []
    for subject, old in before.items():
        new = after[subject]
        if isinstance(old, dict):
            old, new = {f'{k} {v}' for k, v in old.items()}, {f'{k} {v}' for k, v in new.items()}
        lines += [f'{subject}: left behind: {item}' for item in sorted(set(new) - set(old))]
        lines += [f'{subject}: gone: {item}' for item in sorted(set(old) - set(new))]
    return lines
