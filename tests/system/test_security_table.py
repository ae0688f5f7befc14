# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every id of the security catalogue has a test, or a line that says why not."""
from lib import security


def test_security_table_complete():
    claims, later = security.source_claims(), security.later()
    missing = [f'{key} {title}' for key, title, _ in security.ids() if key not in claims and key not in later]
    assert not missing, 'no test and no line in security_later.txt:\n  ' + '\n  '.join(missing)


def test_security_later_is_short():
    """Nothing is put off by its own id that has a test by now."""
    claims = security.source_claims()
    done = [row[0] for row in security.rows('security_later.txt') if row[0] in claims]
    assert not done, f'these have tests: {done}'
