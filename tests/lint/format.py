#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every C file is laid out as clang-format 14 lays it out. Usage: format.py [ROOT]

Without clang-format of that version the test is skipped (77): another version lays out differently.
"""
import os
import re
import shutil
import subprocess
import sys

import source_tree

VERSION = '14'


def find_tool():
    for tool in (f'clang-format-{VERSION}', 'clang-format'):
        path = shutil.which(tool)
        if not path:
            continue
        text = subprocess.run([path, '--version'], capture_output=True, text=True, check=False).stdout
        if re.search(rf'version {VERSION}\.', text):
            return path
    return None


def main():
    root = source_tree.root_from_arguments()
    tool = find_tool()
    if tool is None:
        print(f'skipped: no clang-format {VERSION}')
        sys.exit(77)
    names = source_tree.files(root, '.c', '.h')
    problems = []
    for start in range(0, len(names), 50):
        done = subprocess.run([tool, '--dry-run', '-Werror', '--ferror-limit=1', *names[start:start + 50]],
                              cwd=root, capture_output=True, text=True, check=False,
                              env={**os.environ, 'LC_ALL': 'C'})
        problems += re.findall(r'^\S+:\d+:\d+: error:.*$', done.stderr, re.M)
        if done.returncode and not problems:
            problems.append(done.stderr.strip())
    source_tree.finish(problems, 'layout (clang-format -i FILE mends it)')


if __name__ == '__main__':
    main()
