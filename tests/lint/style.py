#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SPDX lines, forbidden calls, close-on-exec at birth, no registry hosts, no paths of one machine.

A line that must break a rule carries `lint: REASON` in a comment, on it or on the line above. Usage: style.py [ROOT]
"""
import re

import source_tree

SPDX = 'SPDX-License-Identifier: LGPL-2.1-or-later'

# call, what to use instead
FORBIDDEN = (
    (r'\b(sprintf|vsprintf)\s*\(', 'no bound: use g_strdup_printf or snprintf'),
    (r'\b(strcpy|strcat|stpcpy)\s*\(', 'no bound'),
    (r'\bgets\s*\(', 'no bound'),
    (r'\balloca\s*\(', 'no bound on the stack'),
    (r'\b(system|popen)\s*\(', 'a shell: use proc_spawn'),
    (r'\bg_spawn_\w+\s*\(', 'no pidfd: use proc_spawn'),
    (r'\b(tmpnam|mktemp|tempnam)\s*\(', 'a name that can be taken'),
    (r'\bdup\s*\(', 'loses close-on-exec: use fcntl F_DUPFD_CLOEXEC'),
    (r'\bF_DUPFD\b', 'loses close-on-exec: use F_DUPFD_CLOEXEC'),
    (r'\b(pipe|accept|epoll_create|inotify_init)\s*\(', 'loses close-on-exec: use the call with flags'),
    (r'\bmkstemp\s*\(', 'loses close-on-exec: use mkostemp'),
    (r'\bgoto\b', 'cleanup attributes, or two functions'),
)
# call, the flag that one of its arguments must carry
CLOEXEC = (
    (r'(?<![\w.>])(open|openat)\s*\(', 'O_CLOEXEC'),
    (r'(?<![\w.>])(socket|socketpair|accept4)\s*\(', 'SOCK_CLOEXEC'),
    (r'(?<![\w.>])pipe2\s*\(', 'O_CLOEXEC'),
    (r'(?<![\w.>])sys_openat2\s*\(', 'O_CLOEXEC'),
    (r'(?<![\w.>])sys_open_tree\s*\(', 'OPEN_TREE_CLOEXEC'),
    (r'(?<![\w.>])recvmsg\s*\(', 'MSG_CMSG_CLOEXEC'),
    (r'(?<![\w.>])memfd_create\s*\(', 'MFD_CLOEXEC'),
    (r'(?<![\w.>])epoll_create1\s*\(', 'EPOLL_CLOEXEC'),
    (r'(?<![\w.>])(eventfd|signalfd|timerfd_create|inotify_init1)\s*\(', 'CLOEXEC'),
)
REGISTRIES = re.compile(r'\b(docker\.io|quay\.io|ghcr\.io|gcr\.io|registry\.[a-z-]+\.[a-z]+|mcr\.microsoft\.com)\b')
MACHINE_PATHS = re.compile(r'(?<![\w}])/(work|home/\w+)/(main|shared|[a-z]+)\b|/tmp/(bash_jobs|build-)')


def first_lines(text):
    return text.split('\n', 2)[:2]


def is_script(text):
    return text.startswith('#!')


def check_spdx(root):
    problems = []
    for name in source_tree.files(root, '.c', '.h', '.py', '.sh', 'meson.build'):
        if not any(SPDX in line for line in first_lines(source_tree.read(root, name))):
            problems.append(f'{name}:1: the SPDX line is missing')
    for name in source_tree.files(root, ''):
        if '.' in name.rsplit('/', 1)[-1] or name.startswith('tests/fuzz/corpus'):
            continue
        text = source_tree.read(root, name)
        if is_script(text) and not any(SPDX in line for line in first_lines(text)):
            problems.append(f'{name}:1: the SPDX line is missing')
    return problems


def call_text(text, start):
    """From the name of a call to its closing parenthesis."""
    depth = 0
    for position in range(text.index('(', start), len(text)):
        depth += {'(': 1, ')': -1}.get(text[position], 0)
        if depth == 0:
            return text[start:position + 1]
    return text[start:]


def is_prototype(text, start):
    """A declaration of a function of the same name, not a call."""
    line = text[text.rfind('\n', 0, start) + 1:start]
    return bool(re.match(r'^[a-z][\w\s*]*[\s*]$', line)) and not line.strip().startswith(('return', 'else'))


def check_calls(name, text):
    problems = []
    source_lines = text.split('\n')
    code = source_tree.code_only(text)

    def report(start, message):
        line = code.count('\n', 0, start) + 1
        if not any('lint:' in near for near in source_lines[max(line - 2, 0):line]):
            problems.append(f'{name}:{line}: {message}')

    for pattern, reason in FORBIDDEN:
        for match in re.finditer(pattern, code):
            report(match.start(), f'{match.group(0).rstrip("( ")}: {reason}')
    for pattern, flag in CLOEXEC:
        for match in re.finditer(pattern, code):
            if flag not in call_text(code, match.start()) and not is_prototype(code, match.start()):
                report(match.start(), f'{match.group(0).rstrip("( ")} without {flag}')
    with_strings = source_tree.code_only(text, keep_strings=True)
    for match in re.finditer(r'\bf(d|re)?open\s*\(', with_strings):
        mode = re.search(r',\s*"([^"]*)"', call_text(with_strings, match.start()))
        if match.group(1) != 'd' and mode and 'e' not in mode.group(1):
            report(match.start(), f'fopen with mode "{mode.group(1)}": "e" (close-on-exec) is missing')
    return problems


def check_words(root):
    problems = []
    for name in source_tree.files(root, ''):
        if name.startswith('tests/lint/') or name.endswith('.png'):
            continue
        text = source_tree.read(root, name)
        source_lines = text.split('\n')
        if name.endswith(('.c', '.h')):
            # A comment may tell what a host name means; code may not know one.
            text = source_tree.code_only(text, keep_strings=True)
        for number, (line, source) in enumerate(zip(text.split('\n'), source_lines), 1):
            if 'lint:' in source:
                continue
            if MACHINE_PATHS.search(line):
                problems.append(f'{name}:{number}: a path of one machine')
            if name.startswith(('pod/', 'generator/', 'conf/', 'units/')) and REGISTRIES.search(line):
                problems.append(f'{name}:{number}: the host of a registry')
    return problems


def main():
    root = source_tree.root_from_arguments()
    problems = check_spdx(root)
    for name in source_tree.files(root, '.c', '.h'):
        problems += check_calls(name, source_tree.read(root, name))
    problems += check_words(root)
    source_tree.finish(problems, 'style')


if __name__ == '__main__':
    main()
