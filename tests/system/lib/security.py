# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which tests answer which id of security_ids.txt, and the table of their results.

A test answers an id by its name (sec_A04_1_..., vuln_B2_07_...) or by a line `security: A04.1, B2-07` in
its text; the same line counts in unit tests, generator cases and lints, and names in tests/machine.
"""
import os
import re

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTS = os.path.dirname(HERE)
FUNCTION = re.compile(r'^(?:async )?(?:static void |def )((?:test_|sec_|vuln_)\w+)\(', re.MULTILINE)
NAME = re.compile(r'^(?:test_)?(?:sec|vuln)_([AB]\d+)(?:_(\d+))?')
MARK = re.compile(r'security: ((?:[AB]\d+[.\d-]*[, ]*)+)')
SOURCES = ('.py', '.c', '.container', '.pod', '.volume', '.network', '.image', '.build', '.kube', '.sh')


def rows(name):
    with open(f'{HERE}/{name}', encoding='utf-8') as stream:
        for line in stream:
            if line.strip() and not line.startswith('#'):
                yield [part.strip() for part in line.split('|')]


def ids():
    """[(id, title, other names)]"""
    return [(row[0], row[1], row[2].split() if len(row) > 2 else []) for row in rows('security_ids.txt')]


def later():
    """{id: reason} of the ids that may be without a test."""
    return dict(rows('security_later.txt'))


def ids_of_name(name, table):
    found = [key for key, _, names in table if any(name.startswith((other, f'test_{other}')) for other in names)]
    match = NAME.match(name)
    if match:
        group, number = match.groups()
        text = group if number is None else f'{group}.{number}' if group[0] == 'A' else f'{group}-{number}'
        found += [key for key, *unused in table if key == text]
    return found


def ids_of_marks(text, table):
    known = {key for key, *unused in table}
    words = {word.rstrip('.') for match in MARK.finditer(text) for word in re.split('[, ]+', match.group(1))}
    return sorted(words & known)


def source_claims():
    """{id: [test]} of everything below tests/, run or not. A test here is FILE::FUNCTION, elsewhere its file."""
    table, claims = ids(), {}
    for folder, directories, names in os.walk(TESTS):
        directories[:] = [name for name in directories if not name.startswith(('build', '__', 'corpus'))]
        for name in names:
            path = os.path.join(folder, name)
            if not name.endswith(SOURCES) or not os.path.isfile(path) or os.path.abspath(__file__) == path:
                continue
            with open(path, encoding='utf-8', errors='replace') as stream:
                text = stream.read()
            if 'security: ' in text or NAME.search(name) or 'sec_A' in text or 'vuln_B' in text:
                claim_file(claims, os.path.relpath(path, TESTS), text, table)
    return claims


def claim_file(claims, path, text, table):
    starts = [(match.start(), match.group(1)) for match in FUNCTION.finditer(text)]
    pieces = [(None, text[:starts[0][0] if starts else len(text)])]
    pieces += [(name, text[at:starts[i + 1][0] if i + 1 < len(starts) else len(text)])
               for i, (at, name) in enumerate(starts)]
    for name, piece in pieces:
        found = set(ids_of_marks(piece, table)) | set(ids_of_name(name, table) if name else ())
        for key in found:
            claims.setdefault(key, []).append(f'{path}::{name}' if name else path)


class Results:
    """Collects what a run reports."""

    def __init__(self):
        self.outcomes = {}  # FILE::FUNCTION: {outcome: [reason]}

    def add(self, report):
        if report.when != 'call' and not (report.when == 'setup' and report.outcome != 'passed') \
                and report.outcome != 'failed':
            return
        path, _, name = report.nodeid.partition('::')
        key = f'system/{os.path.basename(path)}::{name.split("[")[0]}'
        reason = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ''
        self.outcomes.setdefault(key, {}).setdefault(report.outcome, []).append(reason)

    def verdict(self, tests):
        """(result, reason) of an id whose tests these are."""
        if not tests:
            return 'missing', ''
        outcomes = [self.outcomes[test] for test in tests if test in self.outcomes]
        if any('failed' in outcome for outcome in outcomes):
            return 'failed', ''
        skipped = {reason.removeprefix('Skipped: ') for outcome in outcomes for reason in outcome.get('skipped', [])}
        if any('passed' in outcome for outcome in outcomes):
            return 'passed', '; '.join(sorted(f'in part skipped: {reason}' for reason in skipped))
        if skipped:
            return 'skipped', '; '.join(sorted(skipped))
        return ('elsewhere', '') if any(not test.startswith('system/') for test in tests) else ('not run', '')


def table(results):
    """The Markdown table over all ids."""
    claims, reasons, lines, counts = source_claims(), later(), [], {}
    for key, title, _ in ids():
        tests = sorted(set(claims.get(key, [])))
        result, reason = results.verdict(tests)
        if result == 'missing' and key in reasons:
            result, reason = 'later', reasons[key]
        counts[result] = counts.get(result, 0) + 1
        shown = ', '.join(f'`{test}`' for test in tests)
        lines.append(f'| {key} | {title} | {result} | {shown} | {reason} |')
    summary = ', '.join(f'{number} {result}' for result, number in sorted(counts.items()))
    return f'''# What is shown about security

Made by `tests/system/run STAGE --security-table FILE`. A: the default sandbox; B: flaws that others had.
`elsewhere`: a unit test, a generator case or a test in the virtual machine, which this run does not make.
{summary}.

| id | what | result | tests | reason |
| --- | --- | --- | --- | --- |
''' + '\n'.join(lines) + '\n'
