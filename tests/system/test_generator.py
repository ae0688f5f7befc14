# SPDX-License-Identifier: LGPL-2.1-or-later
"""The generator and files that mean harm (security.md B14)."""
import concurrent.futures
import os
import random
import re
import subprocess
import time

import pytest

from lib.command import IS_PODMAN

pytestmark = pytest.mark.skipif(IS_PODMAN, reason='about podctl itself')

GENERATOR = '/usr/lib/systemd/system-generators/podctl-system-generator'
FULL = bool(os.environ.get('PODCTL_TEST_FULL'))
VALUES = 20000 if FULL else 600
KEYS = ('Image Environment Label Annotation HostName Exec Volume Tmpfs User WorkingDir AddCapability DropCapability '
        'PodmanArgs Secret Mount Network PublishPort Sysctl Ulimit LogOpt Entrypoint ContainerName EnvironmentFile '
        'AddHost DNS DNSOption DNSSearch HealthCmd Notify Pull SeccompProfile Timezone UserNS StopSignal Mask Unmask '
        'ExposeHostPort IP GlobalArgs AddDevice GroupAdd ReadOnly').split()
UNIT_KEYS = {'Unit': {'SourcePath', 'Wants', 'After', 'RequiresMountsFor', 'Requires', 'BindsTo', 'Description',
                      'Before', 'StopWhenUnneeded'},
             'Service': {'KillMode', 'Delegate', 'Type', 'NotifyAccess', 'SyslogIdentifier', 'ExecStart', 'ExecStop',
                         'ExecStopPost', 'Environment', 'Restart', 'PIDFile', 'ExecStartPre', 'TimeoutStopSec',
                         'RemainAfterExit', 'ExecReload', 'EnvironmentFile', 'WorkingDirectory', 'Slice', 'KillSignal'},
             'X-Container': None, 'Install': {'WantedBy'}}


@pytest.fixture
def quadlet(tmp_path):
    """A directory of sources, and a call that generates from it: {file: text}, standard error, status."""
    source = tmp_path / 'source'
    source.mkdir()

    class Quadlet:
        directory = source

        def write(self, name, text, mode='w'):
            path = source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, mode, **({} if 'b' in mode else {'encoding': 'utf-8', 'newline': ''})) as stream:
                stream.write(text)
            return path

        def generate(self, name='out', directories=None, timeout=20, read=True):
            out = tmp_path / name
            out.mkdir(exist_ok=True)
            variables = {'PATH': os.environ['PATH'], 'QUADLET_UNIT_DIRS': directories or str(source)}
            result = subprocess.run([GENERATOR, str(out), str(out), str(out)], capture_output=True, text=True,
                                    errors='replace', env=variables, timeout=timeout, check=False)
            found = {}
            for folder, _, names in os.walk(out) if read else ():
                for file in names:
                    path = os.path.join(folder, file)
                    if not os.path.islink(path):
                        with open(path, encoding='utf-8', errors='surrogateescape', newline='') as stream:
                            found[os.path.relpath(path, out)] = stream.read()
            return found, result.stderr, result.returncode

    return Quadlet()


def sections(text):
    """{section: {key: [values]}} by systemd's rules: continuation lines, comments; anything else is an error."""
    result, section, line = {}, None, ''
    for raw in text.split('\n'):
        if not line and raw.lstrip().startswith(('#', ';')):
            continue
        if raw.endswith('\\'):
            line += raw[:-1] + ' '
            continue
        line, whole = '', (line + raw).strip(' \t\r')
        if not whole:
            continue
        if whole.startswith('['):
            assert whole.endswith(']'), whole
            section = result.setdefault(whole[1:-1], {})
            continue
        key, equals, value = whole.partition('=')
        assert equals and section is not None, whole
        section.setdefault(key.strip(), []).append(value.strip())
    return result


def hostile(rng):
    pieces = ['\\n', '\\x0a', '\\x0aExecStart=/evil', '\\r', '\\x0d', '"', "'", '\\', '\\\\', '%n', '$HOME', '${X}', '%%',
              ' ', '\t', ';', '#', '[Service]', 'ExecStart=/evil', '=', '--privileged', '-v', '/:/host', '\\012',
              '\\u000a', '\\U0000000a', '\u2028', '\u0085', 'é', '\x0b', '\x0c', '\x7f', '\x1b[31m', ',', ':', '/', '..', 'a']
    return ''.join(rng.choice(pieces) for _ in range(rng.randrange(1, 9)))


def vuln_B14_01_no_value_adds_a_line(quadlet):
    """security: B14-02"""
    rng = random.Random(int(os.environ.get('PODCTL_TEST_SEED', '1')))
    wanted = {}
    for number in range(VALUES):
        key, value = rng.choice(KEYS), hostile(rng)
        wanted[f'u{number}.service'] = key, value
        quadlet.write(f'u{number}.container', f'[Container]\nImage=localhost/x:1\n{key}={value}\n')
    found, _, _ = quadlet.generate(timeout=120)
    assert len(found) > VALUES // 4
    for name, text in found.items():
        parsed = sections(text)
        for value in parsed['Service']['ExecStart']:
            assert re.search(r'[\x00-\x1f\x7f]', value) is None, (name, wanted[name], value)
        assert set(parsed) <= {'Unit', 'Service', 'X-Container'}, (name, wanted[name], set(parsed))
        for section, keys in parsed.items():
            if UNIT_KEYS[section]:
                assert set(keys) <= UNIT_KEYS[section], (name, wanted[name], section, keys)
        assert len(parsed['Service']['ExecStart']) == 1, (name, wanted[name])
        assert parsed['Service']['ExecStart'][0].startswith('/usr/bin/podctl '), (name, wanted[name])


@pytest.mark.parametrize('key,value', [
    ('Environment', 'A=--privileged'), ('Label', '--privileged=1'), ('Annotation', '-v=/:/host'),
    ('HostName', '-v'), ('User', '-v'), ('WorkingDir', '/a --privileged'),
    ('Timezone', 'x --privileged'), ('StopSignal', 'TERM --privileged')])
def vuln_B14_04_values_do_not_become_options(quadlet, key, value):
    quadlet.write('x.container', f'[Container]\nImage=localhost/x:1\n{key}="{value}"\n')
    found, _, _ = quadlet.generate()
    for text in found.values():
        line = sections(text)['Service']['ExecStart'][0]
        words = line.split()
        assert '--privileged' not in words, line
        assert '-v' not in words or words[words.index('-v') - 1].startswith('--'), line


@pytest.mark.parametrize('key', ['ServiceName', 'Alias', 'WantedBy', 'RequiredBy', 'UpheldBy', 'DefaultInstance'])
@pytest.mark.parametrize('value', ['../../evil', '/abs/evil', 'a/b', '..', '.', 'x.service/../evil', 'e' * 300,
                                   'evil\\x2f..', '../evil@.service', 'a b/../c'])
def vuln_B14_05_names_stay_in_the_directory(quadlet, tmp_path, key, value):
    group = 'Install' if key not in ('ServiceName',) else 'Container'
    quadlet.write('x@.container' if key == 'DefaultInstance' else 'x.container',
                  '[Container]\nImage=localhost/x:1\n' + (f'{key}={value}\n' if group == 'Container' else '') +
                  f'[Install]\n' + (f'{key}={value}\n' if group == 'Install' else '') +
                  ('WantedBy=multi-user.target\n' if key == 'DefaultInstance' else ''))
    before = set(os.listdir(tmp_path))
    quadlet.generate()
    assert set(os.listdir(tmp_path)) - before <= {'out'}
    assert not os.path.exists('/abs/evil')
    for folder, directories, names in os.walk(tmp_path / 'out'):
        depth = os.path.relpath(folder, tmp_path / 'out')
        # podman lets an alias stand in a directory of its own
        assert depth == '.' or key == 'Alias' or depth.endswith(('.wants', '.requires', '.upholds')), depth
        for name in names + [entry for entry in directories if os.path.islink(os.path.join(folder, entry))]:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                target = os.path.normpath(os.path.join(folder, os.readlink(path)))
                assert target.startswith(str(tmp_path / 'out') + '/'), (path, target)


def vuln_B14_06_odd_sources(quadlet, tmp_path):
    """Loops, FIFOs, devices, huge files and directories cost a message each, and no time."""
    quadlet.write('good.container', '[Container]\nImage=localhost/x:1\n')
    source = quadlet.directory
    os.mkfifo(source / 'fifo.container')
    os.symlink('/dev/zero', source / 'zero.container')
    os.symlink('/proc/kmsg', source / 'kmsg.container')
    os.symlink('self.container', source / 'self.container')
    os.symlink('.', source / 'loop')
    os.symlink('/nonexistent/x', source / 'dangling.container')
    os.mkdir(source / 'directory.container')
    with open(source / 'huge.container', 'wb') as stream:
        stream.truncate(8 << 30)
    deep = source
    for _ in range(40):
        deep = deep / 'd'
        deep.mkdir()
    start = time.monotonic()
    found, _, _ = quadlet.generate()
    assert time.monotonic() - start < 5
    assert 'good.service' in found


@pytest.mark.parametrize('directories', ['relative', '../x', ':', ''])
def vuln_B14_08_only_absolute_directories(quadlet, directories):
    quadlet.write('good.container', '[Container]\nImage=localhost/x:1\n')
    os.chdir(quadlet.directory.parent)
    found, _, _ = quadlet.generate(directories=directories or 'source')
    assert found == {}
    os.chdir('/')


@pytest.mark.parametrize('text', ['[Container]\nImage=x\\ \n', '[Container]\nImage=x \\\n', '\\', '[Container]\nImage=\\\n\\\n\\',
                                  '[Container\nImage=x\n', '=x\n', '[Container]\n=\n', '\x00' * 100, '[' * 10000,
                                  '[Container]\nImage=' + 'x' * 1000000, '\ufeff[Container]\nImage=x\n',
                                  '[Container]\r\nImage=x\r\n'], ids=range(12))
def vuln_B14_09_no_text_hangs_it(quadlet, text):
    """security: B14-11"""
    quadlet.write('bad.container', text)
    quadlet.write('good.container', '[Container]\nImage=localhost/x:1\n')
    found, _, code = quadlet.generate(timeout=5)
    assert 'good.service' in found and code in (0, 1)


def vuln_B14_10_two_at_once_write_whole_units(quadlet):
    for number in range(30):
        quadlet.write(f'u{number}.container', f'[Container]\nImage=localhost/x:{number}\n' + 'Label=a=b\n' * 50)
    wanted, _, _ = quadlet.generate('first')
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: quadlet.generate('shared', read=False), range(40 if FULL else 16)))
    found, _, _ = quadlet.generate('shared')
    assert {name: text for name, text in found.items() if name.endswith('.service')} == wanted
    assert set(found) == set(wanted), 'temporary files are left'


@pytest.mark.parametrize('files', [
    {'a.container': 'Pod=b.pod', 'b.pod': ''}, {'a.container': 'Pod=missing.pod'},
    {'a.container': 'Network=a.container'}, {'a.container': 'Network=b.container', 'b.container': 'Network=a.container'},
    {'a.container': 'Volume=../../x.volume:/x'}, {'a.container': 'Image=a.container'},
    {'a.container': 'Pod=../a.pod'}, {'a.container': 'Volume=b.pod:/x', 'b.pod': ''}])
def vuln_B14_12_references(quadlet, files):
    quadlet.write('good.container', '[Container]\nImage=localhost/x:1\n')
    for name, line in files.items():
        group = 'Pod' if name.endswith('.pod') else 'Container'
        image = 'Image=localhost/x:1\n' if group == 'Container' and 'Image' not in line else ''
        quadlet.write(name, f'[{group}]\n{image}{line}\n')
    found, errors, _ = quadlet.generate(timeout=5)
    assert 'good.service' in found
    assert all(len(line) < 1000 for line in errors.split('\n'))


def vuln_B14_15_modes_and_sources(quadlet, tmp_path):
    """security: B14-14, B14-16"""
    path = quadlet.write('x.container', '[Container]\nImage=localhost/x:1\n')
    os.umask(0)
    try:
        found, _, _ = quadlet.generate()
    finally:
        os.umask(0o022)
    assert os.stat(tmp_path / 'out' / 'x.service').st_mode & 0o7777 == 0o644
    parsed = sections(found['x.service'])
    assert parsed['Unit']['SourcePath'] == [str(path)]
    service = parsed['Service']
    assert service['Delegate'] == ['yes'] and service['KillMode'] == ['mixed'] and service['Type'] == ['notify']
    assert service['NotifyAccess'] == ['all']


@pytest.mark.parametrize('text', ['[Container]\nImage=x\n\x1b[31mKey=1\n', '[Container]\nImage=x\nNoSuch\x07Key=1\n',
                                  '[Container]\nImage=x\nWrong=<0>panic\n', '[Container]\nImage=x\nK' + 'x' * 5000 + '=1\n'],
                         ids=range(4))
def vuln_B14_17_messages_are_one_clean_line(quadlet, text):
    quadlet.write('x.container', text)
    _, errors, _ = quadlet.generate()
    assert re.search(r'[\x00-\x08\x0b-\x1f\x7f]', errors) is None, repr(errors)
    for line in errors.strip().split('\n'):
        assert len(line) <= 1000
