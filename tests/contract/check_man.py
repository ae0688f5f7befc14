#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every option that podctl offers is in the manual, with its letter, and the manual has no other.

The tables come from `podctl __options`. In the pages of section 1, a command has a subsection
".SS podctl COMMAND"; its options are the ".TP" paragraphs there, and those of the subsections in
SHARED. Speaks TAP. Usage: check_man.py PODCTL SOURCE-DIR
"""
import glob
import json
import os
import re
import subprocess
import sys

SHARED = {'Options of a container': ('run', 'create', 'pod add', 'container clone'),
          'Limits': ('run', 'create', 'pod add', 'container clone', 'pod create', 'pod clone', 'update'),
          'podctl pod create': ('pod clone',)}
GLOBAL = 'Options in front of the command'


def read_pages(source_dir):
    """{title of a subsection: {option: letter}} of all pages."""
    sections = {}
    for path in sorted(glob.glob(os.path.join(source_dir, 'man', 'podctl*.1'))):
        section, paragraph = None, False
        with open(path, encoding='utf-8') as stream:
            for line in stream:
                plain = line.replace('\\-', '-').replace('\\fB', '').replace('\\fI', '').replace(
                    '\\fP', '').strip()
                if plain.startswith(('.SS ', '.SH ')):
                    section = plain[4:].strip('"')
                    sections.setdefault(section, {})
                elif paragraph and section:
                    match = re.match(r'\.B[RI]? (?:-(\w)(?: ?", "? |, ))?--([a-z][a-z0-9-]*)', plain)
                    if match:
                        sections[section][match.group(2)] = match.group(1) or ''
                paragraph = plain == '.TP'
    return sections


def offered(rows):
    return {row['name']: row['letter'] for row in rows if not row['refused'] and not row['hidden']}


def compare(what, wanted, found):
    problems = [f'{what}: --{name} is not in the manual' for name in sorted(wanted.keys() - found.keys())]
    problems += [f'{what}: the manual has --{name}, podctl has not'
                 for name in sorted(found.keys() - wanted.keys())]
    problems += [f'{what}: --{name} has the letter "{wanted[name]}", in the manual "{found[name]}"'
                 for name in sorted(wanted.keys() & found.keys()) if wanted[name] != found[name]]
    return problems


def main():
    podctl, source_dir = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    tables = json.loads(subprocess.run([podctl, '__options'], capture_output=True, check=True).stdout)
    sections = read_pages(source_dir)
    problems = compare('podctl', offered(tables['options']), sections.get(GLOBAL, {}))
    seen, titles = set(), {GLOBAL}
    for command in tables['commands']:
        # Aliases share help and options; the first row has the name of the page.
        key = (command['usage'], command['help'])
        if command['hidden'] or key in seen:
            continue
        seen.add(key)
        words = command['words']
        title = f'podctl {words}'
        titles.add(title)
        if title not in sections:
            problems.append(f'{title}: there is no subsection ".SS {title}"')
            continue
        found = dict(sections[title])
        for shared, commands in SHARED.items():
            if words in commands:
                found.update(sections.get(shared, {}))
        problems += compare(title, offered(command['options']), found)
    problems += [f'the manual has "{title}", podctl has no such command' for title in sections
                 if title.startswith('podctl ') and title not in titles]
    print('1..1')
    for problem in problems:
        print('#', problem)
    print('ok' if not problems else 'not ok', '1 - options and the manual agree')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
