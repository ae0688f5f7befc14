#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boots the bench root with podctl laid over it and runs measure.py there: boot.py ROOT STAGE WORK."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'system'))
from lib.booted import Booted  # noqa: E402


def main():
    root, stage, work = sys.argv[1:4]
    # The storage of both lies in memory: an overlay cannot be the upper layer of another.
    with Booted(root=root, stage=stage, binds=[f'{work}:/bench'],
                tmpfs=['/var/lib/podctl', '/var/lib/containers']) as machine:
        return machine.run('python3', '-B', '/bench/measure.py', '/bench', '/bench/out/figures.json', *sys.argv[4:],
                           timeout=3000, stdout=None, stderr=None, properties=['LimitNOFILE=65536']).returncode


if __name__ == '__main__':
    sys.exit(main())
