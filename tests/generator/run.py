#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the cases of the generator and speaks TAP.

A case is a source file in cases/, or a directory with several. Lines that begin with "##" hold one
assertion each, split like shell words; the generator takes them for comments. They are about the
service of the file they stand in. In a directory they may also stand in a file "case", and there:

  ## service NAME        the assertions that follow are about NAME.service
  ## user                run in user mode
  ## root                root/ is the root directory: the real search path is used, not the case
  ## env NAME=VALUE      "@" in VALUE is the directory of the case
  ## exit N              expected exit status (default: 1 if a service was asserted to have failed)

A file "expected" is compared with the whole output of -dryrun, a file "null" with a list of names:
each becomes a link to /dev/null. The place where a case was run is shown as /etc/containers/systemd.

Usage: run.py GENERATOR SOURCE-DIR [CASE...]
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SHOWN = "/etc/containers/systemd"
SUFFIXES = {".container": "", ".kube": "", ".pod": "-pod", ".volume": "-volume",
            ".network": "-network", ".image": "-image", ".build": "-build",
            ".artifact": "-artifact"}
LIST_KEYS = {"podman": "ExecStart", "podman-pre": "ExecStartPre", "podman-stop": "ExecStop",
             "podman-stop-post": "ExecStopPost", "podman-reload": "ExecReload"}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "v": "\v", "f": "\f", "a": "\a", "b": "\b",
           "s": " ", "\\": "\\", '"': '"', "'": "'"}


class Failed(Exception):
    pass


def split_command(text):
    """Words as systemd reads them."""
    words, word, quote, i = [], None, "", 0
    while i < len(text):
        c = text[i]
        i += 1
        if not quote and c in " \t":
            if word is not None:
                words.append(word)
                word = None
            continue
        word = word or ""
        if quote and c == quote:
            quote = ""
        elif not quote and c in "\"'":
            quote = c
        elif c == "\\":
            e = text[i]
            i += 1
            if e == "x":
                word += chr(int(text[i:i + 2], 16))
                i += 2
            else:
                word += ESCAPES[e]
        else:
            word += c
    if word is not None:
        words.append(word)
    return words


def parse_unit(path):
    """{group: [(key, value)]} of a written service; None if there is none."""
    groups, group = {}, None
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for line in file.read().split("\n"):
            if line.startswith("[") and line.endswith("]"):
                group = groups.setdefault(line[1:-1], [])
            elif line and line[0] not in "#;" and "=" in line:
                group.append(tuple(line.split("=", 1)))
    return groups


class Case:
    def __init__(self, generator, path):
        self.generator = generator
        self.path = path
        self.name = os.path.basename(path)
        self.user = self.root = self.failed = False
        self.env = {}
        self.exit = None
        self.service = None
        self.checks = []

    def read_assertions(self, path, service):
        self.service = service
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            for number, line in enumerate(file, 1):
                if line.startswith("##") and line.strip("# \n"):
                    self.read_line(shlex.split(line[2:]), "%s:%d" % (os.path.basename(path),
                                                                     number))

    def read_line(self, words, where):
        name, args = words[0], words[1:]
        if name == "service":
            self.service = args[0]
        elif name in ("user", "root"):
            setattr(self, name, True)
        elif name == "env":
            key, value = args[0].split("=", 1)
            self.env[key] = value
        elif name == "exit":
            self.exit = int(args[0])
        else:
            self.failed |= name == "assert-failed"
            self.checks.append((where, self.service, name, args))

    def service_of(self, name):
        base, ext = os.path.splitext(name)
        if base.endswith("@"):
            return base[:-1] + SUFFIXES[ext] + "@"
        return base + SUFFIXES[ext]

    def prepare(self, source):
        if os.path.isdir(self.path):
            shutil.copytree(self.path, source, symlinks=True)
            for parent, _, names in os.walk(source):
                for name in sorted(names):
                    path = os.path.join(parent, name)
                    if name == "case":
                        self.read_assertions(path, None)
                    elif os.path.splitext(name)[1] in SUFFIXES and not os.path.islink(path):
                        self.read_assertions(path, self.service_of(name))
        else:
            os.mkdir(source)
            shutil.copy(self.path, source)
            self.read_assertions(self.path, self.service_of(self.name))
        null = os.path.join(source, "null")
        if os.path.exists(null):
            for name in open(null).read().split():
                os.symlink("/dev/null", os.path.join(source, name))

    def start(self, source, options):
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        if self.root:
            env["PODCTL_GENERATOR_ROOT"] = os.path.join(source, "root")
        else:
            env["QUADLET_UNIT_DIRS"] = source
            env["PODCTL_GENERATOR_ROOT"] = source + "/no-root"
        for key, value in self.env.items():
            env[key] = value.replace("@", source)
        options = (["-user"] if self.user else []) + options
        result = subprocess.run([self.generator] + options, env=env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20,
                                check=False)
        shown = os.path.join(source, "root") if self.root else source
        texts = [t.decode(errors="surrogateescape").replace(shown, "" if self.root else SHOWN)
                 for t in (result.stdout, result.stderr)]
        return result.returncode, texts[0], texts[1]

    def run(self):
        with tempfile.TemporaryDirectory(prefix="podctl-generator-") as place:
            source = os.path.join(os.path.realpath(place), "source")
            self.out = os.path.join(place, "out")
            self.prepare(source)
            code, _, self.stderr = self.start(source, ["-no-kmsg-log", self.out])
            expected = self.exit if self.exit is not None else int(self.failed)
            if code != expected:
                raise Failed("exit status %d, not %d\n%s" % (code, expected, self.stderr))
            self.shown = source
            for where, service, name, args in self.checks:
                self.check(where, service, name, args)
            golden = os.path.join(source, "expected")
            if os.path.exists(golden):
                _, stdout, _ = self.start(source, ["-dryrun"])
                with open(golden, encoding="utf-8") as file:
                    self.compare(stdout, file.read())
            elif not self.checks:
                raise Failed("no assertion")

    @staticmethod
    def compare(got, wanted):
        if got == wanted:
            return
        got, wanted = got.split("\n"), wanted.split("\n")
        for i, line in enumerate(wanted):
            if i >= len(got) or got[i] != line:
                raise Failed("line %d:\n wanted %s\n got    %s" % (
                    i + 1, line, got[i] if i < len(got) else "(end)"))
        raise Failed("more output than wanted: %s" % got[len(wanted)])

    def check(self, where, service, name, args):
        wanted = not name.startswith("!")
        name = name.lstrip("!")
        if self.evaluate(service, name, args) != wanted:
            raise Failed("%s: %s%s %s\n%s\n%s" % (
                where, "" if wanted else "! ", name, " ".join(args), self.stderr,
                self.text_of(service)))

    def text_of(self, service):
        try:
            with open(os.path.join(self.out, "%s.service" % service), errors="replace") as file:
                return file.read()
        except OSError:
            return "(no %s.service)" % service

    def evaluate(self, service, name, args):
        unit = parse_unit(os.path.join(self.out, "%s.service" % service)) if service else {}
        if name == "assert-failed":
            return unit is None
        if name == "assert-generated":
            return unit is not None
        if name == "assert-stderr-contains":
            return args[0] in self.stderr
        if name == "assert-symlink":
            path = os.path.join(self.out, args[0])
            return os.path.islink(path) and (len(args) < 2 or os.readlink(path) == args[1])
        if name == "assert-text":
            return args[0] in self.text_of(service).replace(self.shown, SHOWN)
        if unit is None:
            raise Failed("no %s.service\n%s" % (service, self.stderr))
        match = re.fullmatch(r"assert-(podman[a-z-]*?)-(global-args|final-args|args)"
                             r"(-key-val)?(-regex)?", name)
        if match:
            return self.evaluate_command(unit, args, *match.groups())
        return self.evaluate_key(unit, name, args)

    def values(self, unit, group, key):
        values = []
        for name, value in unit.get(group, []):
            if name == key:
                values = values + [value.replace(self.shown, SHOWN)] if value else []
        return values

    def evaluate_key(self, unit, name, args):
        values = self.values(unit, args[0], args[1])
        rest = args[2:]
        if name == "assert-key-is":
            return values == rest
        if name == "assert-key-is-regex":
            return len(values) == len(rest) and all(map(re.fullmatch, rest, values))
        if name == "assert-has-key":
            return rest[0] in values
        if name == "assert-key-is-empty":
            return not values
        if name == "assert-key-contains":
            return any(rest[0] in value for value in values)
        if name == "assert-key-not-contains":
            return not any(rest[0] in value for value in values)
        if name == "assert-last-key-contains":
            return rest[0] in values[-1]
        if name == "assert-last-key-not-contains":
            return rest[0] not in values[-1]
        if name == "assert-last-key-is-regex":
            return bool(re.fullmatch(rest[0], values[-1]))
        raise Failed("unknown assertion %s" % name)

    def evaluate_command(self, unit, args, kind, where, key_val, regex):
        values = self.values(unit, "Service", LIST_KEYS[kind])
        words = split_command(values[-1]) if values else []
        same = (lambda a, b: re.fullmatch(a, b)) if regex else (lambda a, b: a == b)
        if where == "global-args":
            words = words[:words.index(args[0])]
            args = args[1:]
        if key_val:
            flag, sep, wanted = args
            return any(sorted(words[i + 1].split(sep)) == sorted(wanted.split(sep))
                       for i in range(len(words) - 1) if words[i] == flag)
        if where == "final-args":
            tail = words[len(words) - len(args):]
            return len(tail) == len(args) and all(map(same, args, tail))
        return any(all(map(same, args, words[i:i + len(args)]))
                   for i in range(len(words) - len(args) + 1))


def check_every_key_has_a_case(source_dir):
    """Keys of the tables in generator/unit_*.c that no case assigns in their group, or that the
    manual does not have."""
    manual = open(os.path.join(source_dir, "man", "podctl-systemd.unit.5")).read()
    used = set()
    for parent, _, names in os.walk(os.path.join(HERE, "cases")):
        for name in names:
            group = None
            path = os.path.join(parent, name)
            if os.path.islink(path):
                continue
            for line in open(path, encoding="utf-8", errors="replace"):
                if line.startswith("["):
                    group = line.strip("[] \n")
                elif "=" in line and not line.startswith("#"):
                    used.add((group, line.split("=")[0].strip()))
    folder = os.path.join(source_dir, "generator")
    missing, count = [], 0
    for name in sorted(os.listdir(folder)):
        if not re.fullmatch(r"unit_\w+\.c", name):
            continue
        text = open(os.path.join(folder, name), encoding="utf-8").read()
        tables = dict(re.findall(r"KeyRow (\w*rows)\[\] = \{(.*?)\n\};", text, re.S))
        for group, table in re.findall(r'\.group = "(\w+)".*?\.rows = (\w+)', text, re.S):
            keys = re.findall(r'\{"(\w+)", KEY_', tables[table])
            if len(keys) != len(set(keys)):
                raise Failed("[%s] has two rows for one key" % group)
            for key in keys:
                count += 1
                if ".BR %s= " % key not in manual.split('.SS ".%s:' % group.lower())[1].split(
                        ".SS ")[0]:
                    missing.append("(in the manual) [%s] %s" % (group, key))
                if (group, key) not in used:
                    missing.append("[%s] %s" % (group, key))
    if count < 200:
        raise Failed("only %d keys found in the tables" % count)
    if missing:
        raise Failed("no case for " + ", ".join(missing))


def main():
    generator, source_dir = sys.argv[1], sys.argv[2]
    cases = os.path.join(HERE, "cases")
    names = sys.argv[3:] or sorted(os.listdir(cases))
    print("1..%d" % (len(names) + 1))
    failures = 0
    points = [(n, Case(os.path.abspath(generator), os.path.join(cases, n)).run) for n in names]
    points.append(("every key has a case and is in the manual", lambda: check_every_key_has_a_case(source_dir)))
    for number, (name, run) in enumerate(points, 1):
        try:
            run()
            print("ok %d - %s" % (number, name))
        except Exception as error:  # pylint: disable=broad-except
            failures += 1
            print("not ok %d - %s" % (number, name))
            text = "%s: %s" % (type(error).__name__, error)
            print("\n".join("# " + line for line in text.split("\n")))
        sys.stdout.flush()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
