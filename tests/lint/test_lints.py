# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every lint is shown a small tree that breaks one rule, and must name it."""
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = '/* SPDX-License-Identifier: LGPL-2.1-or-later */\n'

LAYERS = [
    ('pod/cli/a.c', '#include "store/store.h"', 'cli may include itself'),
    ('pod/cli/a.c', '#include "engine/pod.h"', 'only the door "engine/engine.h"'),
    ('pod/base/a.c', '#include "model/spec.h"', 'base may include itself'),
    ('pod/store/a.c', '#include "image/image.h"', 'store may include itself'),
    ('pod/runtime/a.c', '#include "model/spec.h"', 'runtime may include itself'),
    ('pod/supervisor/a.c', '#include "runtime/runtime.h"', 'supervisor may include itself'),
    ('pod/supervisor/a.c', '#include <glib.h>', 'supervisor does not link'),
    ('pod/supervisor/a.c', '#include "base/fd.h"', 'supervisor may include itself'),
    ('pod/runtime/join.c', '#include "base/fd.h"', 'libc only'),
    ('pod/engine/a.c', '#include <netlink/netlink.h>', 'engine does not link'),
    ('pod/engine/a.c', '#include <archive.h>', 'engine does not link'),
    ('generator/a.c', '#include "model/spec.h"', 'generator may include itself'),
    ('pod/kitchen/a.c', '', '"kitchen" is not a room'),
]
LAYERS_FINE = [
    ('pod/cli/a.c', '#include "engine/engine.h"\n#include "model/names.h"\n#include <systemd/sd-journal.h>'),
    ('pod/supervisor/a.c', '#include "runtime/join.h"\n#include "model/handoff.h"\n#include "supervisor/loop.h"'),
    ('pod/runtime/join.c', '#include "runtime/join.h"'),
    ('generator/a.c', '#include "keys.h"\n#include "base/fs.h"'),
    ('tests/unit/store/test_a.c', '#include "store/journal.h"\n#include "image/layout.h"'),
    ('pod/base/a.c', '/* #include "model/spec.h" */'),
]
STYLE = [
    ('sprintf(a, b);', 'sprintf: no bound'),
    ('goto out;', 'goto: cleanup'),
    ('x = dup(3);', 'dup: loses close-on-exec'),
    ('fd = open(path, O_RDONLY);', 'open without O_CLOEXEC'),
    ('fd = openat(at, path,\n\t\tO_RDONLY, 0600);', 'openat without O_CLOEXEC'),
    ('fd = socket(AF_UNIX, SOCK_STREAM, 0);', 'socket without SOCK_CLOEXEC'),
    ('fd = sys_openat2(at, path, O_PATH, 0);', 'sys_openat2 without O_CLOEXEC'),
    ('fd = sys_open_tree(at, path, OPEN_TREE_CLONE);', 'sys_open_tree without OPEN_TREE_CLOEXEC'),
    ('n = recvmsg(fd, &packet, 0);', 'recvmsg without MSG_CMSG_CLOEXEC'),
    ('f = fopen(path, "r");', '"e" (close-on-exec) is missing'),
    ('system(line);', 'system: a shell'),
    ('const char *host = "quay.io/x";', 'host of a registry'),
    ('const char *dir = "/work/main/x";', 'path of one machine'),
]
STYLE_FINE = [
    'fd = open(path, O_RDONLY | O_CLOEXEC);', 'f = fopen(path, "re");', '/* goto, sprintf( */',
    'say("use open(path) here");', 'x = dup2(1, 2);', 'n = fcntl(fd, F_DUPFD_CLOEXEC, 3);',
    'fd = open(path, flags); /* lint: the child needs it */',
]


def run(lint, root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    done = subprocess.run([sys.executable, f'{HERE}/{lint}.py', str(root)], capture_output=True, text=True,
                          check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize('name,text,rule', LAYERS)
def test_layers_names_the_rule(tmp_path, name, text, rule):
    code, output = run('layers', tmp_path, name, HEAD + text + '\n')
    assert code == 1 and rule in output and name in output


@pytest.mark.parametrize('name,text', LAYERS_FINE)
def test_layers_accepts(tmp_path, name, text):
    code, output = run('layers', tmp_path, name, HEAD + text + '\n')
    assert code == 0, output


@pytest.mark.parametrize('line,rule', STYLE)
def test_style_names_the_rule(tmp_path, line, rule):
    code, output = run('style', tmp_path, 'pod/base/a.c', f'{HEAD}void f(void) {{\n\t{line}\n}}\n')
    assert code == 1 and rule in output


@pytest.mark.parametrize('line', STYLE_FINE)
def test_style_accepts(tmp_path, line):
    code, output = run('style', tmp_path, 'pod/base/a.c', f'{HEAD}void f(void) {{\n\t{line}\n}}\n')
    assert code == 0, output


def test_style_wants_the_licence(tmp_path):
    code, output = run('style', tmp_path, 'pod/base/a.c', 'int x;\n')
    assert code == 1 and 'SPDX' in output


@pytest.mark.parametrize('opening', ['void f(void) {', 'static int f(int a,\n\tint b) {'])
def test_lengths_function(tmp_path, opening):
    code, output = run('lengths', tmp_path, 'pod/base/a.c', opening + '\n' + '\tx();\n' * 101 + '}\n')
    assert code == 1 and 'a function of' in output
    code, output = run('lengths', tmp_path, 'pod/base/a.c', opening + '\n' + '\tx();\n' * 90 + '}\n')
    assert code == 0, output


def test_lengths_file_and_table(tmp_path):
    code, output = run('lengths', tmp_path, 'pod/base/a.c', 'int x;\n' * 601)
    assert code == 1 and 'besides tables' in output
    table = 'static const Row rows[] = {\n' + '\t{1},\n' * 700 + '};\n'
    code, output = run('lengths', tmp_path, 'pod/base/a.c', table)
    assert code == 0, output


def test_lengths_names_are_unique(tmp_path):
    run('lengths', tmp_path, 'pod/base/a.c', 'int x;\n')
    code, output = run('lengths', tmp_path, 'pod/cli/a.c', 'int x;\n')
    assert code == 1 and 'is taken by' in output


def test_format(tmp_path):
    for name in ('.clang-format',):
        (tmp_path / name).write_text(open(os.path.join(HERE, '../../', name), encoding='utf-8').read())
    code, output = run('format', tmp_path, 'pod/base/a.c', 'int  x ;\n')
    if code == 77:
        pytest.skip(output)
    assert code == 1 and 'error' in output
    code, output = run('format', tmp_path, 'pod/base/a.c', 'int x;\n')
    assert code == 0, output
