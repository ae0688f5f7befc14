#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""No function over 100 lines, no file over 600; pure tables do not count. Base names are unique.

The layout is clang-format's: a function or a table at file scope opens with a line that ends in {
and closes with a } in the first column. Usage: lengths.py [ROOT]
"""
import os
import re

import source_tree

FUNCTION_LINES = 100
FILE_LINES = 600
TABLE = re.compile(r'^(static\s+)?(const\b.*|.*\bconst\b.*)=\s*\{\s*$')


def blocks(text):
    """(first line, last line, opening text) of every block at file scope; lines count from 1."""
    lines = text.split('\n')
    start = None
    head = 0
    for number, line in enumerate(lines, 1):
        if start is None:
            if line.endswith('{') and not line.startswith(('}', ' ', '\t', '#')):
                start, head = number, number
            elif line.endswith('{') and line.startswith(('\t', ' ')):
                # The parameters of a long signature stand on lines of their own.
                head = number - 1
                while head > 1 and lines[head - 1].startswith(('\t', ' ')):
                    head -= 1
                start = number
        elif line.startswith('}'):
            yield head, number, '\n'.join(lines[head - 1:start])
            start = None


def check_c(name, text):
    problems = []
    table_lines = 0
    for first, last, opening in blocks(source_tree.code_only(text)):
        length = last - first + 1
        if TABLE.match(' '.join(opening.split())):
            table_lines += length
        elif '(' in opening and length > FUNCTION_LINES:
            problems.append(f'{name}:{first}: a function of {length} lines; at most {FUNCTION_LINES}')
    lines = text.count('\n') - table_lines
    if lines > FILE_LINES:
        problems.append(f'{name}: {lines} lines besides tables; at most {FILE_LINES}')
    return problems


def check_names(names):
    problems = []
    seen = {}
    for name in names:
        base = os.path.basename(name)
        if base == 'main.c':
            continue
        if base in seen:
            problems.append(f'{name}: the name {base} is taken by {seen[base]}; base names are unique')
        seen.setdefault(base, name)
    return problems


def main():
    root = source_tree.root_from_arguments()
    problems = []
    c_files = source_tree.files(root, '.c', '.h')
    for name in c_files:
        problems += check_c(name, source_tree.read(root, name))
    for name in source_tree.files(root, '.py', '.sh'):
        lines = source_tree.read(root, name).count('\n')
        if lines > FILE_LINES:
            problems.append(f'{name}: {lines} lines; at most {FILE_LINES}')
    problems += check_names(c_files)
    source_tree.finish(problems, 'lengths and names')


if __name__ == '__main__':
    main()
