#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds podctl twice (as released; with ASan and UBSan), runs every suite on both, sums it all up.

The last line is `N passed, N failed, N skipped`; the status is 0 only when nothing failed. Every step
has a time limit, and so has the whole. Results stay in BUILD/results.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOTAL_SECONDS = 24 * 60
STEP_SECONDS = {'setup': 120, 'build': 600, 'meson': 600, 'lint': 120, 'system': 900, 'machine': 600}
# Left out of the sanitized run unless --full is given: they take long and run no code that others do not.
LONG_FILES = ('test_systemd.py', 'test_init_steps.py', 'test_mount_security.py', 'test_escape.py', 'test_attach_security.py',
              'test_files_security.py')


class Totals:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def fail(self, what):
        self.failed.append(what)
        print(f'FAILED {what}', flush=True)


class Runner:
    def __init__(self, options):
        self.options = options
        self.totals = Totals()
        limit = options.minutes * 60 if options.minutes else TOTAL_SECONDS * (10 if options.full else 1)
        self.end = time.monotonic() + limit

    def seconds(self, step):
        """What the step may take: its own limit, or what is left."""
        own = STEP_SECONDS[step] * (10 if self.options.full else 1)
        return max(1, min(own, self.end - time.monotonic()))

    @staticmethod
    def end_group(process):
        """Ends a command and what it started; None, which stands for "took too long"."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(30)
                return None
            except subprocess.TimeoutExpired:
                pass
            except ProcessLookupError:
                break
        process.wait(30)
        return None

    def command(self, step, words, env=None, quiet=False):
        """Status of a command, None when it took too long. quiet: output only when it fails."""
        begin = time.monotonic()
        print(f'--- {" ".join(words[:6])}{" ..." if len(words) > 6 else ""}', flush=True)
        with tempfile.TemporaryFile() as log:
            stream = log if quiet else None
            with subprocess.Popen(words, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=stream,
                                  stderr=subprocess.STDOUT if quiet else None, cwd=TOP,
                                  start_new_session=True) as process:
                try:
                    status = process.wait(self.seconds(step))
                except subprocess.TimeoutExpired:
                    status = self.end_group(process)
                except BaseException:
                    self.end_group(process)
                    raise
            if quiet and status != 0:
                log.seek(0)
                sys.stdout.write(log.read().decode(errors='replace')[-8000:])
        print(f'    {time.monotonic() - begin:.1f} s, status {status}', flush=True)
        return status

    def build(self, directory, *settings):
        """Configures and builds; True when that worked."""
        words = ['meson', 'setup', directory, TOP, *settings]
        if os.path.exists(f'{directory}/build.ninja'):
            words.insert(2, '--reconfigure')
        if self.command('setup', words, quiet=True) != 0:
            # What an older version left may not be understood any more.
            shutil.rmtree(directory, ignore_errors=True)
            words = [word for word in words if word != '--reconfigure']
            if self.command('setup', words, quiet=True) != 0:
                self.totals.fail(f'configuring {directory}')
                return False
        if self.command('build', ['ninja', '-C', directory], quiet=True) != 0:
            self.totals.fail(f'building {directory}')
            return False
        return True

    def junit(self, path, label):
        """Adds the cases of a JUnit file; False when there is none that can be read."""
        try:
            with open(path, encoding='utf-8', errors='replace') as stream:
                # meson copies what tests print as it is; XML has no place for most control characters
                text = re.sub('[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]', '?', stream.read())
            cases = list(ElementTree.fromstring(text.encode()).iter('testcase'))
        except (OSError, ElementTree.ParseError):
            return False
        for case in cases:
            name = f'{label}: {case.get("classname") or ""} {case.get("name")}'
            skipped = case.find('skipped')
            if case.find('failure') is not None or case.find('error') is not None:
                self.totals.failed.append(name)
            elif skipped is not None:
                reason = skipped.get('message') or (skipped.text or '').strip().split('\n')[0]
                self.totals.skipped.append(f'{name}: {reason or "no reason given"}')
            else:
                self.totals.passed += 1
        return True

    def meson_tests(self, directory, label, *more):
        results = f'{directory}/meson-logs/testlog.junit.xml'
        if os.path.exists(results):
            os.unlink(results)
        env = {'UBSAN_OPTIONS': 'print_stacktrace=1:halt_on_error=1'}
        before = len(self.totals.failed)
        status = self.command('meson', ['meson', 'test', '-C', directory, '--no-rebuild', '--print-errorlogs',
                                        '--timeout-multiplier', '3' if label == 'asan' else '1', *more], env=env)
        read = self.junit(results, label)
        if status is None:
            self.totals.fail(f'{label}: the unit tests took too long')
        elif not read:
            self.totals.fail(f'{label}: the results of the unit tests cannot be read')
        elif status != 0 and len(self.totals.failed) == before:
            self.totals.fail(f'{label}: meson test ended with {status}')

    def pytest(self, label, words, results, env=None, step='system'):
        before = len(self.totals.failed)
        status = self.command(step, [*words, '-q', '--color=no', '--tb=short', '-rs', f'--junitxml={results}'], env)
        read = self.junit(results, label)
        if status is None:
            self.totals.fail(f'{label}: took too long')
        elif status not in (0, 5) and (not read or len(self.totals.failed) == before):
            self.totals.fail(f'{label}: ended with {status}')

    def system_tests(self, directory, label, sanitized):
        """Installs into a place of its own and runs the system tests on that."""
        with tempfile.TemporaryDirectory(prefix='podctl-stage-', dir='/var/tmp') as stage:
            os.chmod(stage, 0o755)  # it becomes a part of /
            if self.command('build', ['meson', 'install', '-C', directory, '--no-rebuild', '--destdir', stage],
                            quiet=True) != 0:
                self.totals.fail(f'{label}: installing')
                return
            out = f'{directory}/results'
            shutil.rmtree(out, ignore_errors=True)
            os.makedirs(f'{out}/sanitizer')
            shutil.copy(f'{directory}/tests/system/probe', f'{out}/probe')
            env = {'PODCTL_TEST_OUT': out, 'PODCTL_TEST_PROBE': f'{out}/probe'}
            if self.options.full:
                env['PODCTL_TEST_FULL'] = '1'
            if sanitized:
                logs = f'{out}/sanitizer/report'
                env |= {'ASAN_OPTIONS': f'log_path={logs}:exitcode=99',
                        'UBSAN_OPTIONS': f'print_stacktrace=1:halt_on_error=1:log_path={logs}',
                        'PODCTL_TEST_SANITIZER_LOGS': f'{out}/sanitizer'}
            chosen = self.options.tests or [f'{TOP}/tests/system']
            words = [f'{TOP}/tests/system/run', stage, *chosen]
            if not sanitized and not self.options.tests:
                words += ['--security-table', f'{out}/SECURITY.md']
            if self.options.keyword:
                words += ['-k', self.options.keyword]
            elif sanitized and not self.options.full and not self.options.tests:
                print(f'{label}: without {", ".join(LONG_FILES)}', flush=True)
                words += [f'--ignore={TOP}/tests/system/{name}' for name in LONG_FILES]
            self.pytest(label, words, f'{out}/system.xml', env)

    def machine_tests(self, directory):
        """The tests in a virtual machine, on the build as released: three minutes, each cycle is emulated."""
        with tempfile.TemporaryDirectory(prefix='podctl-stage-', dir='/var/tmp') as stage:
            os.chmod(stage, 0o755)  # it becomes a part of /
            if self.command('build', ['meson', 'install', '-C', directory, '--no-rebuild', '--destdir', stage],
                            quiet=True) != 0:
                self.totals.fail('machine: installing')
                return
            out = f'{directory}/results-machine'
            shutil.rmtree(out, ignore_errors=True)
            os.makedirs(out)
            env = {'PODCTL_TEST_OUT': out, 'PODCTL_TEST_PROBE': f'{directory}/tests/system/probe'}
            if self.options.full:
                env['PODCTL_TEST_FULL'] = '1'
            words = [f'{TOP}/tests/machine/run', stage]
            if self.options.keyword:
                words += ['-k', self.options.keyword]
            self.pytest('machine', words, f'{out}/machine.xml', env, 'machine')

    def run(self):
        options = self.options
        if not options.tests:
            self.pytest('lint', ['/usr/bin/python3', '-B', '-m', 'pytest', '-p', 'no:cacheprovider',
                                 f'{TOP}/tests/lint'], os.path.join(tempfile.gettempdir(), 'podctl-lint.xml'),
                        step='lint')
        for directory, label, sanitized in ((f'{options.build}', 'release', False),
                                            (f'{options.build}-asan', 'asan', True)):
            if label in options.without:
                continue
            settings = ['-Db_sanitize=address,undefined', '-Db_lundef=false'] if sanitized else []
            if not self.build(directory, *settings):
                continue
            if not options.tests:
                self.meson_tests(directory, label, *(['--no-suite', 'lint'] if sanitized else []))
            if 'system' not in options.without:
                self.system_tests(directory, f'{label} system', sanitized)
            if not sanitized and not options.tests and 'machine' not in options.without:
                self.machine_tests(directory)
        return self.report()

    def report(self):
        totals = self.totals
        if totals.skipped:
            print('\nskipped:')
            for name in sorted(set(re.sub(r'\s+', ' ', row) for row in totals.skipped)):
                print(f'  {name}')
        if totals.failed:
            print('\nfailed:')
            for name in totals.failed:
                print(f'  {name}')
        line = f'{totals.passed} passed, {len(totals.failed)} failed'
        if totals.skipped:
            line += f', {len(totals.skipped)} skipped'
        print('\n' + line, flush=True)
        return 1 if totals.failed or not totals.passed else 0


def main():
    parser = argparse.ArgumentParser(prog='tests/run', description='Build podctl and run every test.')
    parser.add_argument('--full', action='store_true', help='the long loops too; no 25 minute limit')
    parser.add_argument('--build', default=f'{TOP}/build', help='build directory; the other one is DIR-asan')
    parser.add_argument('--without', action='append', default=[], choices=['release', 'asan', 'system', 'machine'],
                        help='leave this part out')
    parser.add_argument('--minutes', type=int, help='time limit of the whole')
    parser.add_argument('-k', '--keyword', help='only system tests that match, as pytest has it')
    parser.add_argument('tests', nargs='*', help='only these files of system tests')
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(143))
    sys.exit(Runner(parser.parse_args()).run())


if __name__ == '__main__':
    main()
