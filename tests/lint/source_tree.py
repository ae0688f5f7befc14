# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files a lint looks at, and C text without its comments. Shared by the lints beside it."""
import os
import re
import subprocess
import sys

SKIPPED_DIRECTORIES = {'.git', '__pycache__', '.pytest_cache', '.cache'}


def root_from_arguments():
    """The tree to look at: the first argument, or the one this file is in."""
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(here))


def _from_git(root):
    if not os.path.exists(os.path.join(root, '.git')):
        return None
    try:
        done = subprocess.run(['git', '-c', 'safe.directory=*', '-C', root, 'ls-files', '-z', '-c', '-o',
                               '--exclude-standard'], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [name for name in done.stdout.decode().split('\0') if name]


def _from_disk(root):
    names = []
    for folder, directories, files in os.walk(root):
        top = folder == root
        directories[:] = sorted(d for d in directories if d not in SKIPPED_DIRECTORIES
                                and not (top and d.startswith('build')))
        names += [os.path.relpath(os.path.join(folder, name), root) for name in files]
    return names


def files(root, *endings):
    """Sorted names below root, of tracked files and of new ones that are not ignored."""
    names = _from_git(root)
    if names is None:
        names = _from_disk(root)
    return sorted(name for name in names
                  if name.endswith(endings) and os.path.isfile(os.path.join(root, name)))


def read(root, name):
    with open(os.path.join(root, name), encoding='utf-8', errors='replace') as stream:
        return stream.read()


_TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_only(text, keep_strings=False):
    """C text with comments (and the inside of strings) blanked; line numbers stay."""
    def blank(match):
        token = match.group(0)
        if token[0] in '"\'':
            return token if keep_strings else token[0] + ' ' * (len(token) - 2) + token[0]
        return re.sub(r'[^\n]', ' ', token)
    return _TOKEN.sub(blank, text)


def finish(problems, what):
    """Prints the problems and ends the program: 1 when there are any."""
    for problem in problems:
        print(problem)
    print(f'{len(problems)} problem(s): {what}' if problems else f'ok: {what}')
    sys.exit(1 if problems else 0)
