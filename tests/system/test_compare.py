# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table beside podman is made by compare_podman, which boots; here only that it was, and what it says."""
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))


def sec_A24_beside_podman():
    """security: A24. In no row is podctl less strict without a reason."""
    with open(f'{HERE}/PODMAN.md', encoding='utf-8') as stream:
        rows = [line for line in stream if line.startswith('| ')]
    assert len(rows) > 20
    assert not [row for row in rows if '**no**' in row]
    assert re.search(r'\| i386 calls allowed \| 0 \|', ''.join(rows))
