#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may include whom: the table of rooms (DESIGN section 3), read from the #include lines.

Fails with file, line and the rule that was broken. Usage: layers.py [ROOT]
"""
import os
import re

import source_tree

# room: rooms it may include. A row is a row of the table.
ROOMS = {
    'base': (),
    'model': ('base',),
    'store': ('model', 'base'),
    'image': ('model', 'base'),
    'network': ('model', 'base'),
    'archive': ('base',),
    'runtime': ('base',),
    'convert': ('model', 'base'),
    'engine': ('store', 'image', 'archive', 'network', 'runtime', 'model', 'base'),
    'cli': ('engine', 'convert', 'model', 'base'),
    'supervisor': (),
    'unpack': (),
    'generator': ('base',),
}
# Rooms of which every header may be included; of the others only the door room/room.h.
OPEN = ('base', 'model')
# Single headers that a room may include besides its row.
EXTRA = {'supervisor': ('runtime/join.h', 'model/handoff.h')}
# Files that are also compiled into a program without libraries: libc and one another only.
LIBC_ONLY = ('pod/runtime/join.c', 'pod/runtime/join.h', 'pod/runtime/container_init.c',
             'pod/runtime/last_exec.c', 'pod/runtime/last_step.c', 'pod/runtime/last_step.h',
             'pod/runtime/sync_message.h', 'pod/runtime/syscalls.h', 'pod/model/handoff.h')

# Headers of a library, and the rooms that link it. The build refuses the rest as well, but only
# when the headers are not in the compiler's own search path.
LIBRARIES = (
    (re.compile(r'^glib|^gio/|^gobject/'),
     ('base', 'model', 'store', 'image', 'archive', 'network', 'runtime', 'convert', 'engine', 'cli',
      'generator')),
    (re.compile(r'^jansson'),
     ('base', 'model', 'store', 'image', 'network', 'runtime', 'convert', 'engine', 'cli')),
    (re.compile(r'^netlink/|^libnl'), ('network',)),
    (re.compile(r'^nftables/'), ('network',)),
    (re.compile(r'^seccomp\.h'), ('runtime',)),
    (re.compile(r'^systemd/'), ('runtime', 'cli')),
    (re.compile(r'^yaml\.h'), ('convert',)),
    (re.compile(r'^archive(_entry)?\.h'), ('unpack', 'archive')),
)

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def room_of(name):
    """The room a file belongs to, or None for tests and the like."""
    parts = name.split('/')
    if parts[0] == 'generator':
        return 'generator'
    if parts[0] == 'pod' and len(parts) > 2:
        return parts[1]
    return None


def row(room):
    allowed = ROOMS[room] + EXTRA.get(room, ())
    return 'itself' if not allowed else 'itself, ' + ', '.join(allowed)


def check_quoted(room, name, target):
    """The rule broken by including target, or None."""
    if '/' not in target:
        if os.path.dirname(name) in ('generator', f'pod/{room}'):
            return None
        return 'an include of ours is written "room/file.h"'
    owner = target.split('/')[0]
    if owner == room or target in EXTRA.get(room, ()):
        return None
    if owner not in ROOMS:
        return f'"{owner}" is not a room'
    if owner not in ROOMS[room]:
        return f'{room} may include {row(room)}; not {owner}'
    if owner not in OPEN and target != f'{owner}/{owner}.h':
        return f'from outside, only the door "{owner}/{owner}.h" of {owner} is included'
    return None


def check_library(room, target):
    for pattern, rooms in LIBRARIES:
        if pattern.search(target) and room not in rooms:
            return f'{room} does not link <{target}>; only {", ".join(rooms)} may'
    return None


def check_file(root, name):
    room = room_of(name)
    if room is None:
        return []
    if room not in ROOMS:
        return [f'{name}:1: "{room}" is not a room']
    text = source_tree.code_only(source_tree.read(root, name), keep_strings=True)
    problems = []
    for match in INCLUDE.finditer(text):
        kind, target = match.groups()
        line = text.count('\n', 0, match.start(1)) + 1
        if kind == '"':
            rule = check_quoted(room, name, target)
            if not rule and name in LIBC_ONLY and f'pod/{target}' not in LIBC_ONLY:
                rule = 'this file is compiled into the static programs: libc only'
        else:
            rule = check_library(room, target)
            if not rule and name in LIBC_ONLY and re.match(r'glib|jansson', target):
                rule = 'this file is compiled into the static programs: libc only'
        if rule:
            problems.append(f'{name}:{line}: includes {target}: {rule}')
    return problems


def main():
    root = source_tree.root_from_arguments()
    problems = []
    for name in source_tree.files(root, '.c', '.h'):
        problems += check_file(root, name)
    source_tree.finish(problems, 'layers (DESIGN section 3)')


if __name__ == '__main__':
    main()
