#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the generator writes, podctl must read: every Exec line of every generator case is given to
`podctl __parse`, which knows refused options but not unknown ones.

Words that an author put into PodmanArgs= or GlobalArgs= are the author's. Commands that podctl has
not yet are listed here, and the list must be right. Speaks TAP.
Usage: check_exec_lines.py PODCTL GENERATOR SOURCE-DIR
"""
import importlib.util
import os
import re
import subprocess
import sys
import tempfile

LATER = {('artifact', 'pull'), ('build', None), ('image', 'pull'), ('kube', 'down'), ('kube', 'play'),
         ('network', 'create'), ('network', 'rm')}


def load_cases(source_dir):
    """The module of the generator's own tests: it knows how a case is set up and run."""
    path = os.path.join(source_dir, 'tests', 'generator', 'run.py')
    spec = importlib.util.spec_from_file_location('generator_cases', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def author_words(folder):
    """The values of PodmanArgs= and GlobalArgs= in all files of a case."""
    text = ''
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            if os.path.isfile(path):
                with open(path, encoding='utf-8', errors='surrogateescape') as stream:
                    content = stream.read().replace('\\\n', '')
                text += ' '.join(re.findall(r'^(?:PodmanArgs|GlobalArgs)=(.*)$', content, re.M)) + ' '
    return text


def exec_lines(cases, generator, path):
    """Yields (words, author's words) for each command line of the services of a case."""
    case = cases.Case(generator, path)
    with tempfile.TemporaryDirectory(prefix='podctl-contract-') as place:
        source = os.path.join(os.path.realpath(place), 'source')
        out = os.path.join(place, 'out')
        case.prepare(source)
        case.start(source, ['-no-kmsg-log', out])
        author = author_words(source)
        for name in sorted(os.listdir(out)) if os.path.isdir(out) else []:
            if not name.endswith('.service') or os.path.islink(os.path.join(out, name)):
                continue
            unit = cases.parse_unit(os.path.join(out, name))
            for key, value in unit.get('Service', []):
                words = cases.split_command(value) if key.startswith('Exec') and value else []
                if words and os.path.basename(words[0].lstrip('-@:+!')) == 'podctl':
                    yield words[1:], author


def command_of(words):
    """(first, second) word of the command, without the options before it."""
    rest = list(words)
    while rest and rest[0].startswith('-'):
        valued = '=' not in rest[0]
        rest = rest[2:] if valued else rest[1:]
    return (rest[0] if rest else None, rest[1] if len(rest) > 1 else None)


def parse(podctl, words):
    # Arguments cannot hold a NUL; bytes that are no text pass as they are.
    data = [word.encode('utf-8', 'surrogateescape') for word in words]
    done = subprocess.run([podctl, '__parse', *data], capture_output=True, check=False)
    return done.returncode, done.stderr.decode(errors='replace').strip()


def main():
    podctl, generator, source_dir = (os.path.abspath(word) for word in sys.argv[1:4])
    cases = load_cases(source_dir)
    folder = os.path.join(source_dir, 'tests', 'generator', 'cases')
    problems, lines, later = [], 0, set()
    for name in sorted(os.listdir(folder)):
        for words, author in exec_lines(cases, generator, os.path.join(folder, name)):
            lines += 1
            status, message = parse(podctl, words)
            first, second = command_of(words)
            pair = (first, second) if (first, second) in LATER else (first, None)
            if pair in LATER:
                later.add(pair)
                if status == 0 or 'unknown command' not in message:
                    problems.append(f'{pair} is in the list of later commands, but podctl knows it')
                continue
            # An empty assignment of the author gives an empty value; podman refuses it too.
            if 'invalid value ""' in message:
                continue
            unknown = re.search(r'unknown option "(-[^"]*)"', message)
            if unknown and unknown.group(1) in author:
                continue
            if status != 0:
                problems.append(f'{name}: {message}: {" ".join(words)}')
    if lines < 300:
        problems.append(f'only {lines} command lines found')
    print('1..1')
    for problem in problems:
        print('#', problem)
    print('ok' if not problems else 'not ok', f'1 - {lines} command lines of generator cases are known')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
