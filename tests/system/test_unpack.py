# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hostile archives against podctl-unpack itself. Names follow the catalogue of known attacks on unpackers.

Needs only the built program: PODCTL_LIBDIR names its directory (default /usr/lib/podctl).
"""
import bz2
import gzip
import hashlib
import io
import lzma
import os
import resource
import shutil
import stat
import struct
import subprocess
import tarfile
import time

import pytest

PROGRAM = os.path.join(os.environ.get('PODCTL_LIBDIR', '/usr/lib/podctl'), 'podctl-unpack')
IS_ROOT = os.geteuid() == 0

pytestmark = [
    pytest.mark.skipif(not os.path.exists(PROGRAM), reason=f'missing: {PROGRAM}'),
    pytest.mark.skipif(not IS_ROOT, reason='missing: root, or a user namespace with a range of ids'),
]


def header(name, kind=b'0', size=0, link=b'', mode=0o644, uid=0, gid=0, mtime=0, major=0, minor=0, raw_uid=None,
           magic=b'ustar\x0000'):
    """One raw tar header, with any bytes anywhere and a right checksum."""
    name = name.encode('utf-8', 'surrogateescape') if isinstance(name, str) else name
    link = link.encode() if isinstance(link, str) else link
    fields = bytearray(512)

    def put(offset, width, value):
        fields[offset:offset + width] = value[:width].ljust(width, b'\0')

    put(0, 100, name)
    put(100, 8, b'%07o' % mode)
    put(108, 8, raw_uid if raw_uid is not None else b'%07o' % uid)
    put(116, 8, b'%07o' % gid)
    put(124, 12, b'%011o' % size if size < 8 ** 11 else b'\x80' + size.to_bytes(11, 'big'))
    put(136, 12, b'%011o' % mtime)
    put(156, 1, kind)
    put(157, 100, link)
    put(257, 8, magic)
    put(329, 8, b'%07o' % major)
    put(337, 8, b'%07o' % minor)
    fields[148:156] = b' ' * 8
    fields[148:156] = b'%06o\0 ' % sum(fields)
    return bytes(fields)


def padded(data):
    return data + bytes(-len(data) % 512)


def entry(name, content=b'', **keys):
    return header(name, size=len(content), **keys) + padded(content)


def record(key, value):
    value = value.encode() if isinstance(value, str) else value
    body = b' ' + key.encode() + b'=' + value + b'\n'
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


def pax(records, kind=b'x'):
    return entry('PaxHeader', b''.join(record(k, v) for k, v in records), kind=kind)


END = bytes(1024)


class Result:
    def __init__(self, process, root, seconds):
        self.code = process.returncode
        self.error = process.stderr.decode()
        self.lines = process.stdout.decode().splitlines()
        self.root = root
        self.seconds = seconds
        self.report = {}
        self.opaque = [line.split(' ', 1)[1] for line in self.lines if line.startswith('opaque ')]
        if self.lines and self.lines[-1].startswith('done '):
            self.report = dict(word.split('=') for word in self.lines[-1].split()[1:])

    def path(self, name):
        return os.path.join(self.root, name)

    def refused(self):
        """Exit status 1, one clean line, no report."""
        lines = self.error.splitlines()
        return (self.code == 1 and len(lines) == 1 and lines[0].isprintable() and not self.report)


@pytest.fixture
def unpack(tmp_path):
    """Runs the program; proves afterwards that nothing beside its directory has changed."""
    outside = tmp_path / 'canary'
    outside.mkdir()
    (outside / 'secret').write_text('secret')
    calls = []

    def run(data, *options):
        root = tmp_path / f'root{len(calls)}'
        root.mkdir()
        calls.append(root)
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        start = time.monotonic()
        try:
            process = subprocess.run([PROGRAM, *options, str(fd)], input=data, capture_output=True,
                                     pass_fds=[fd], timeout=60, check=False)
        finally:
            os.close(fd)
        return Result(process, str(root), time.monotonic() - start)

    before = sorted(os.listdir(tmp_path))
    host = [sorted(os.listdir(place)) for place in ('/', '/etc', '/root') if os.access(place, os.R_OK)]
    yield run
    made = {root.name for root in calls}
    assert sorted(set(os.listdir(tmp_path)) - made) == before
    assert os.listdir(outside) == ['secret']
    assert (outside / 'secret').read_text() == 'secret'
    assert (outside / 'secret').stat().st_mode & 0o7777 == 0o644
    assert host == [sorted(os.listdir(place)) for place in ('/', '/etc', '/root') if os.access(place, os.R_OK)]


def test_plain_tree(unpack):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w', format=tarfile.PAX_FORMAT) as tar:
        def add(name, kind=tarfile.REGTYPE, content=b'', **keys):
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(content)
            for key, value in keys.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(content))
        add('.', tarfile.DIRTYPE, mode=0o751, mtime=5)
        add('d', tarfile.DIRTYPE, mode=0o700, mtime=1000)
        add('d/f', content=b'hello', mode=0o4755, mtime=2000, uid=7, gid=8)
        add('d/h', tarfile.LNKTYPE, linkname='d/f')
        add('s', tarfile.SYMTYPE, linkname='/etc/passwd')
        add('fifo', tarfile.FIFOTYPE, mode=0o600)
        add('näme-' + 'x' * 150, content=b'long')
        add('a/b/c', content=b'parents')
    data = buffer.getvalue()
    result = unpack(data)
    assert result.code == 0, result.error
    assert result.report['diffid'] == hashlib.sha256(data).hexdigest()
    assert int(result.report['stream']) == len(data)
    assert int(result.report['size']) == len(b'hellolongparents')
    assert result.report['complete'] == '1'
    info = os.stat(result.path('d/f'))
    assert stat.S_IMODE(info.st_mode) == 0o4755 and info.st_mtime == 2000 and info.st_nlink == 2
    if IS_ROOT:
        assert (info.st_uid, info.st_gid) == (7, 8)
    assert os.stat(result.path('d')).st_mtime == 1000
    assert stat.S_IMODE(os.stat(result.root).st_mode) == 0o751
    assert os.readlink(result.path('s')) == '/etc/passwd'
    assert stat.S_ISFIFO(os.stat(result.path('fifo')).st_mode)
    assert os.path.exists(result.path('näme-' + 'x' * 150))
    assert stat.S_IMODE(os.stat(result.path('a/b')).st_mode) == 0o755


@pytest.mark.parametrize('codec', ['gzip', 'bzip2', 'xz', 'zstd', 'two gzip members'])
def test_codecs(unpack, codec):
    data = entry('x', b'content') + END
    packed = {
        'gzip': lambda: gzip.compress(data),
        'bzip2': lambda: bz2.compress(data),
        'xz': lambda: lzma.compress(data),
        'zstd': lambda: subprocess.run(['zstd', '-c'], input=data, capture_output=True, check=True).stdout,
        'two gzip members': lambda: gzip.compress(data[:700]) + gzip.compress(data[700:]),
    }
    if codec == 'zstd' and not shutil.which('zstd'):
        pytest.skip('missing: zstd')
    result = unpack(packed[codec]())
    assert result.code == 0, result.error
    assert result.report['diffid'] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize('name', ['../x', 'a/../../x', './../x', 'a/./../../x', '..', 'a/..', '/..', '../../../../etc/x'])
def vuln_B6_01_parent_components(unpack, name):
    result = unpack(entry(name, b'x') + END)
    assert result.refused()
    assert os.listdir(result.root) in ([], ['a'])


@pytest.mark.parametrize('name, made', [('/etc/x', 'etc/x'), ('//x', 'x'), ('./x', 'x'), ('a//.//x', 'a/x')])
def vuln_B6_01_absolute_names_are_relative(unpack, name, made):
    result = unpack(entry(name, b'content') + END)
    assert result.code == 0, result.error
    with open(result.path(made), 'rb') as stream:
        assert stream.read() == b'content'


@pytest.mark.parametrize('name', ['x' * 4097, 'y' * 256, 'd/' * 300 + 'x', ''])
def vuln_B6_01_lengths(unpack, name):
    result = unpack(pax([('path', name)]) + entry('short' if name else b'', b'x') + END)
    assert result.refused()


@pytest.mark.parametrize('target', ['/', '../../..', '/etc', '.'])
def vuln_B6_02_symlinked_parent_stays_inside(unpack, target):
    result = unpack(header('d', kind=b'2', link=target) + entry('d/podctl-canary', b'x') + END)
    assert not os.path.exists('/podctl-canary') and not os.path.exists('/etc/podctl-canary')
    if result.code == 0:
        found = [os.path.join(base, 'podctl-canary') for base, _, names in os.walk(result.root)
                 if 'podctl-canary' in names]
        assert len(found) == 1
    else:
        assert result.refused()


def vuln_B6_02_chain(unpack, tmp_path):
    data = (header('a', kind=b'2', link='b') + header('b', kind=b'2', link=str(tmp_path / 'canary')) +
            entry('a/secret', b'overwritten') + END)
    assert unpack(data).refused()


def vuln_B6_02_last_component_is_not_followed(unpack, tmp_path):
    data = header('x', kind=b'2', link=str(tmp_path / 'canary/secret')) + entry('x', b'overwritten') + END
    result = unpack(data)
    assert result.code == 0
    assert stat.S_ISREG(os.lstat(result.path('x')).st_mode)


@pytest.mark.parametrize('name', ['.', './', '/'])
@pytest.mark.parametrize('kind', [b'0', b'1', b'2', b'3'])
def vuln_B6_03_root_replaced(unpack, name, kind):
    # a file whose name ends in a slash is an old form of a directory
    if kind == b'0' and name.endswith('/'):
        pytest.skip('a directory')
    result = unpack(entry('f', b'') + header(name, kind=kind, link='f', major=1, minor=3) + END)
    assert result.refused()
    assert os.path.isdir(result.root)


@pytest.mark.parametrize('target', ['/etc/passwd', '../canary/secret', 'missing', 'dir', 'sym', 'sym/x', 'self', '',
                                    'fifo'])
def vuln_B6_04_hard_links(unpack, tmp_path, target):
    data = (header('dir', kind=b'5', mode=0o755) + header('sym', kind=b'2', link=str(tmp_path / 'canary')) +
            header('fifo', kind=b'6') + header('self', kind=b'1', link=target) + END)
    result = unpack(data)
    assert result.refused()
    assert not os.path.lexists(result.path('self'))


def vuln_B6_04_hard_link_inside(unpack):
    data = (entry('f', b'x', mode=0o4755) + header('h', kind=b'1', link='/./f') + header('h', kind=b'1', link='f') +
            header('f', kind=b'1', link='f') + END)
    result = unpack(data)
    assert result.code == 0, result.error
    assert os.stat(result.path('h')).st_ino == os.stat(result.path('f')).st_ino


def vuln_B6_05_attributes_do_not_follow_links(unpack, tmp_path):
    """A link gets a mode and an owner; its target outside keeps its own (the fixture looks)."""
    data = header('l', kind=b'2', link=str(tmp_path / 'canary/secret'), mode=0o7777, uid=1234, mtime=7) + END
    result = unpack(data)
    assert result.code == 0
    assert os.stat(tmp_path / 'canary/secret').st_uid == os.geteuid()
    assert os.lstat(result.path('l')).st_mtime == 7


def vuln_B6_07_whiteout_device_is_refused(unpack):
    assert unpack(header('x', kind=b'3', major=0, minor=0) + END).refused()


@pytest.mark.parametrize('kind, major, minor', [(b'3', 1, 3), (b'4', 8, 0), (b'4', 0, 0)])
def vuln_B6_07_device_nodes_are_left_out(unpack, kind, major, minor):
    result = unpack(header('dev/x', kind=kind, major=major, minor=minor) + entry('y', b'') + END)
    assert result.code == 0, result.error
    assert not os.path.lexists(result.path('dev/x'))
    assert result.report['skipped'] == '1'


def is_whiteout(path):
    info = os.lstat(path)
    return stat.S_ISCHR(info.st_mode) and info.st_rdev == 0


@pytest.mark.parametrize('name', ['.wh.', '.wh..', '.wh...', '.wh..wh.', '.wh..wh.plnk', 'd/.wh.', '.wh.a/b',
                                  'd/.wh.a/b', '.wh..wh..opq/x'])
def vuln_B6_08_bad_whiteouts(unpack, name):
    assert unpack(entry(name, b'') + END).refused()


@pytest.mark.parametrize('kind', [b'1', b'2', b'3', b'5', b'6'])
def vuln_B6_08_whiteout_of_another_type(unpack, kind):
    assert unpack(entry('f', b'') + header('.wh.x', kind=kind, link='f', major=1, minor=3) + END).refused()


@pytest.mark.parametrize('first', ['whiteout', 'member'])
@pytest.mark.parametrize('member', ['file', 'directory', 'implicit directory', 'link'])
def vuln_B6_08_order_does_not_matter(unpack, first, member):
    whiteout = entry('p/.wh.x', b'')
    same = {
        'file': entry('p/x', b'mine'),
        'directory': header('p/x', kind=b'5', mode=0o755),
        'implicit directory': entry('p/x/y', b'mine'),
        'link': header('p/x', kind=b'2', link='y'),
    }[member]
    result = unpack((whiteout + same if first == 'whiteout' else same + whiteout) + END)
    assert result.code == 0, result.error
    assert not is_whiteout(result.path('p/x'))
    assert result.opaque == (['p/x'] if 'directory' in member else [])


def vuln_B6_08_whiteout(unpack):
    result = unpack(entry('d/.wh.x', b'') + entry('d/.wh..hidden', b'') + END)
    assert result.code == 0
    assert is_whiteout(result.path('d/x')) and is_whiteout(result.path('d/.hidden'))
    assert sorted(os.listdir(result.path('d'))) == ['.hidden', 'x']


def vuln_B6_09_opaque(unpack):
    data = entry('d/mine', b'') + entry('d/.wh..wh..opq', b'') + entry('.wh..wh..opq', b'') + END
    result = unpack(data)
    assert result.code == 0
    assert result.opaque == ['d', '']
    assert os.listdir(result.path('d')) == ['mine']


def vuln_B6_09_opaque_in_a_file(unpack):
    assert unpack(entry('d', b'') + entry('d/.wh..wh..opq', b'') + END).refused()


def vuln_B6_10_last_one_wins(unpack, tmp_path):
    data = (header('x', kind=b'5', mode=0o755) + entry('x/deep/y', b'1') + entry('x', b'2') +
            header('x', kind=b'5', mode=0o711) + header('z', kind=b'2', link=str(tmp_path / 'canary')) +
            header('z', kind=b'5', mode=0o755) + entry('z/secret', b'3') + END)
    result = unpack(data)
    assert result.code == 0, result.error
    assert os.listdir(result.path('x')) == [] and stat.S_IMODE(os.stat(result.path('x')).st_mode) == 0o711
    with open(result.path('z/secret'), 'rb') as stream:
        assert stream.read() == b'3'


def vuln_B6_10_below_a_file(unpack):
    assert unpack(entry('x', b'') + entry('x/y', b'') + END).refused()


def vuln_B6_11_bomb(unpack):
    """A stream of zeros: refused by its ratio soon after 64 MiB, in bounded memory."""
    compressor = io.BytesIO()
    with gzip.GzipFile(fileobj=compressor, mode='wb', compresslevel=9) as stream:
        stream.write(header('zeros', size=8 << 30))
        for _ in range(96):
            stream.write(bytes(1 << 20))
    # zeros once more: the outer ratio is beyond any honest one
    result = unpack(gzip.compress(compressor.getvalue()))
    assert result.refused() and 'more than once' in result.error
    zst = shutil.which('zstd')
    if not zst:
        pytest.skip('missing: zstd')
    data = header('zeros', size=512 << 20) + bytes(512 << 20) + END
    packed = subprocess.run([zst, '-19', '-c'], input=data, capture_output=True, check=True).stdout
    del data
    result = unpack(packed)
    assert result.refused() and 'to one' in result.error
    assert result.seconds < 30


@pytest.mark.parametrize('size', [8 << 60, 1 << 62, (64 << 30) + 1])
def vuln_B6_11_claimed_size(unpack, size):
    assert unpack(header('x', size=size) + b'x' * 512 + END).refused()


def vuln_B6_11_sparse_claim(unpack):
    sparse = pax([('GNU.sparse.major', '1'), ('GNU.sparse.minor', '0'), ('GNU.sparse.name', 's'),
                  ('GNU.sparse.realsize', str(1 << 62))])
    content = padded(b'1\n%d\n3\n' % (1 << 61)) + padded(b'abc')
    assert unpack(sparse + entry('x', content) + END).refused()


def vuln_B6_11_sparse_file(unpack):
    """An honest sparse file: its size counts, its holes stay holes."""
    sparse = pax([('GNU.sparse.major', '1'), ('GNU.sparse.minor', '0'), ('GNU.sparse.name', 's'),
                  ('GNU.sparse.realsize', str(1 << 30))])
    content = padded(b'1\n%d\n3\n' % (1 << 20)) + padded(b'abc')
    result = unpack(sparse + entry('x', content) + END)
    assert result.code == 0, result.error
    info = os.stat(result.path('s'))
    assert info.st_size == 1 << 30 and info.st_blocks * 512 < 1 << 20


def vuln_B6_11_big_metadata(unpack):
    assert unpack(entry('x', b'a' * (3 << 20), kind=b'L') + entry('y', b'') + END).refused()
    assert unpack(pax([('comment', 'a' * (3 << 20))]) + entry('y', b'') + END).refused()


def vuln_B6_11_memory_stays_small(unpack):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    names = b''.join(header(f'd{i % 50}/{i}') for i in range(20000))
    assert unpack(names + END).code == 0
    packed = lzma.compress(names + END, preset=9)
    assert unpack(packed).code == 0
    # Until its exec a child is a copy of this process, which counts for both.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, own, 200 << 10)


@pytest.mark.parametrize('codec', [bytes, gzip.compress, bz2.compress, lzma.compress])
def vuln_B6_12_truncated(unpack, codec):
    """Cut anywhere: an end in bounded time, and never taken for the whole."""
    data = codec(entry('a', os.urandom(5000)) + entry('b', os.urandom(5000)) + END)
    end = len(data) - (1024 if codec is bytes else 1)
    for size in list(range(0, end, 1024)) + [end]:
        result = unpack(data[:size])
        assert result.refused() or result.report['complete'] == '0', size
        assert result.seconds < 5


@pytest.mark.parametrize('codec', [bytes, gzip.compress, bz2.compress, lzma.compress])
def vuln_B6_12_garbled(unpack, codec):
    data = bytearray(codec(entry('a', os.urandom(3000)) + END))
    for offset in range(0, len(data), 97):
        garbled = bytearray(data)
        garbled[offset] ^= 0x55
        result = unpack(bytes(garbled))
        assert result.code == 0 or result.refused(), offset
        assert result.seconds < 5


def vuln_B6_13_trailing_bytes_count(unpack):
    data = entry('a', b'x') + END + b'trailing' * 9000
    result = unpack(data)
    assert result.code == 0, result.error
    assert result.report['diffid'] == hashlib.sha256(data).hexdigest()
    late = entry('a', b'x') + END + entry('late', b'x') + END
    result = unpack(late)
    assert result.report['diffid'] == hashlib.sha256(late).hexdigest()
    assert not os.path.exists(result.path('late'))


XATTRS = {'user.ok': b'1', 'user.overlay.opaque': b'y', 'trusted.overlay.opaque': b'y', 'trusted.overlay.metacopy': b'',
          'trusted.overlay.redirect': b'/etc', 'security.selinux': b'x', 'security.ima': b'x',
          'system.posix_acl_access': b'x', 'user.': b'x'}


@pytest.mark.parametrize('kind', [b'0', b'5'])
def vuln_B6_14_xattrs(unpack, kind):
    records = [('SCHILY.xattr.' + name, value) for name, value in XATTRS.items()]
    result = unpack(pax(records) + header('x', kind=kind, mode=0o755) + END)
    assert result.code == 0, result.error
    found = os.listxattr(result.path('x'))
    assert [name for name in found if name not in ('user.ok', 'security.selinux')] == []
    assert 'user.ok' in found or result.report['skipped'] == str(len(XATTRS))
    assert int(result.report['skipped']) >= len(XATTRS) - 1


@pytest.mark.skipif(not IS_ROOT, reason='missing: root')
def vuln_B6_14_file_capability_survives(unpack):
    capability = struct.pack('<IIIII', 0x02000001, 1 << 10, 0, 0, 0)
    result = unpack(pax([('SCHILY.xattr.security.capability', capability)]) + header('x', mode=0o755, uid=5) + END)
    assert result.code == 0, result.error
    assert os.getxattr(result.path('x'), 'security.capability') == capability


def vuln_B6_14_too_many(unpack):
    records = [(f'SCHILY.xattr.user.n{i}', b'x') for i in range(1000)]
    assert unpack(pax(records) + header('x') + END).refused()


@pytest.mark.parametrize('raw', [b'\xff' * 8, b'\x80\0\0\1\0\0\0\0', b'\x80\0\0\0\xff\xff\xff\xff'])
def vuln_B6_16_owner_out_of_range(unpack, raw):
    assert unpack(header('x', raw_uid=raw) + END).refused()


@pytest.mark.parametrize('mtime', ['-1', '9' * 30, 'NaN', '1e9', '-9223372036854775808', '17179869184', '0.999999999999'])
def vuln_B6_17_times(unpack, mtime):
    result = unpack(pax([('mtime', mtime)]) + header('x') + pax([('mtime', mtime)]) + header('d', kind=b'5') + END)
    assert result.code == 0 or result.refused()
    if result.code == 0:
        assert 0 <= os.stat(result.path('x')).st_mtime < 1 << 34


def foreign_archives():
    cpio = (b'070701' + b'00000000' * 11 + b'0000000B' + b'00000000')
    yield 'cpio', cpio + b'TRAILER!!!\0' + bytes(512)
    yield 'zip', b'PK\x05\x06' + bytes(18)
    yield '7z', b"7z\xbc\xaf'\x1c" + bytes(506)
    yield 'mtree', b'#mtree\n./x type=file contents=/etc/passwd\n'
    yield 'ar', b'!<arch>\n' + bytes(512)
    yield 'iso', bytes(32768) + b'\x01CD001\x01' + bytes(4096)
    yield 'text', b'garbage\n' * 200
    yield 'one byte', b'x'
    yield 'nothing', b''


@pytest.mark.parametrize('name, data', foreign_archives(), ids=lambda value: value if isinstance(value, str) else '')
def vuln_B6_18_other_formats(unpack, name, data):
    result = unpack(data)
    # 32 KiB of zeros are the end of an empty tar, whatever follows
    assert result.refused() or (name == 'iso' and result.report['entries'] == '0')
    assert os.listdir(result.root) == []


def vuln_B6_18_no_program_is_started(unpack, tmp_path, monkeypatch):
    """lz4 and compress(1) would be programs: they are refused, whatever is in PATH. security: B18-02"""
    for name in ('lz4', 'uncompress', 'gzip', 'zstd', 'xz', 'lzop', 'grzip', 'lrzip'):
        program = tmp_path / 'canary' / name
        program.write_text('#!/bin/sh\ntouch started\n')
        program.chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path / 'canary'))
    for magic in (b'\x04\x22\x4d\x18', b'\x1f\x9d\x90', b'\x89LZO\0\r\n\x1a\n', b'LRZI\0\6'):
        assert unpack(magic + bytes(2048)).refused()
    for name in os.listdir(tmp_path / 'canary'):
        if name != 'secret':
            os.unlink(tmp_path / 'canary' / name)


def vuln_B6_19_global_header_is_ignored(unpack):
    result = unpack(pax([('path', 'evil'), ('uid', '4242'), ('comment', 'x')], kind=b'g') + entry('x', b'1') +
                    entry('y', b'2') + END)
    assert result.code == 0, result.error
    assert sorted(os.listdir(result.root)) == ['x', 'y']
    assert os.stat(result.path('x')).st_uid == os.geteuid()


@pytest.mark.parametrize('locale', ['C', 'tr_TR.UTF-8', 'C.UTF-8'])
def vuln_B6_20_names_are_bytes(unpack, monkeypatch, locale):
    monkeypatch.setenv('LC_ALL', locale)
    names = [b'\xff\xfe', b'I\xc4\xb1', b'a\tb', '\u202ertl'.encode()]
    result = unpack(b''.join(entry(name, b'x') for name in names) + END)
    assert result.code == 0, result.error
    assert sorted(os.listdir(result.root.encode())) == sorted(names)


def test_errors_are_clean(unpack):
    result = unpack(entry('\x1b[31m\n/../x', b'') + END)
    assert result.refused()
    assert '\x1b' not in result.error


def test_only_takes_the_index(unpack):
    data = (entry('blobs/x', b'1') + entry('./index.json', b'{}') + entry('manifest.json', b'[]') +
            header('z', kind=b'3', major=1, minor=3) + END)
    result = unpack(data, '--only', 'index.json', '--only', 'manifest.json')
    assert result.code == 0, result.error
    assert sorted(os.listdir(result.root)) == ['index.json', 'manifest.json']
    result = unpack(gzip.compress(data), '--copy', 'plain', '--only', 'index.json')
    assert sorted(os.listdir(result.root)) == ['index.json', 'plain']
    with open(result.path('plain'), 'rb') as stream:
        assert stream.read() == data


def vuln_B6_22_index_as_link(unpack):
    for kind in (b'1', b'2', b'6'):
        data = entry('x', b'1') + header('manifest.json', kind=kind, link='x') + END
        assert unpack(data, '--only', 'manifest.json').refused()
    assert unpack(entry('manifest.json', bytes(5 << 20)) + END, '--only', 'manifest.json').refused()


def test_confined(unpack, tmp_path):
    """While it waits for bytes it already has no way to the host: own root, no capability but six."""
    root = tmp_path / 'root-confined'
    root.mkdir()
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    with subprocess.Popen([PROGRAM, str(fd)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          pass_fds=[fd]) as process:
        try:
            status = {}
            for _ in range(500):
                with open(f'/proc/{process.pid}/status', encoding='ascii') as stream:
                    status = dict(line.split(':\t', 1) for line in stream.read().splitlines() if ':\t' in line)
                if status.get('Seccomp') == '2':
                    break
                time.sleep(0.01)
            if status.get('Seccomp') != '2':
                pytest.skip('built with a sanitizer: no filter')
            assert status['NoNewPrivs'] == '1'
            allowed = sum(1 << bit for bit in (0, 1, 3, 4, 27, 31))
            assert int(status['CapEff'], 16) & ~allowed == 0
            assert int(status['CapPrm'], 16) & ~allowed == 0
            if IS_ROOT:
                assert os.readlink(f'/proc/{process.pid}/root') == str(root)
                assert os.readlink(f'/proc/{process.pid}/ns/net') != os.readlink('/proc/self/ns/net')
        finally:
            process.communicate(entry('x', b'1') + END)
            os.close(fd)
            shutil.rmtree(root)
    assert process.returncode == 0
