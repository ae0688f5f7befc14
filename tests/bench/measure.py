#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs inside the booted bench root: measures podctl, podman, crun and the floor side by side.

measure.py DIRECTORY OUT.json [--quick]. DIRECTORY holds floor, stopwatch and rootfs/. Samples of the
programs are taken in turns, so that a slow moment of the machine meets all of them alike.
"""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

IMAGE = 'localhost/bench:latest'
PORTS = {'podctl': 18080, 'podman': 18081}


class Bench:
    def __init__(self, directory, quick):
        self.directory = directory
        self.quick = quick
        self.rows = []
        self.programs = [p for p in ('podctl', 'podman') if shutil.which(p)]

    def log(self, text):
        print(text, flush=True)

    def run(self, *words, check=True, timeout=300):
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=timeout,
                              stdin=subprocess.DEVNULL)
        if check and done.returncode:
            raise RuntimeError(f'{" ".join(words)}: {done.returncode}: {done.stderr.strip()[-500:]}')
        return done.stdout

    def watch(self, *words):
        """(wall, cpu) of a command in milliseconds."""
        wall, cpu, status = self.run(f'{self.directory}/stopwatch', *words).split()
        if status != '0':
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
            raise RuntimeError(f'{" ".join(words)}: status {status}: {done.stderr.strip()[-500:]}')
        return int(wall) / 1000, int(cpu) / 1000

    def interleave(self, title, subjects, samples, setup=None, undo=None, which=0, unit='ms'):
        """subjects: {name: words}. Medians into a row."""
        values = {name: [] for name in subjects}
        broken = {}
        for _ in range(samples + 1):
            for name, words in subjects.items():
                if name in broken:
                    continue
                try:
                    if setup:
                        setup(name)
                    value = self.watch(*words)[which]
                    if undo:
                        undo(name)
                    values[name].append(value)
                except (RuntimeError, subprocess.TimeoutExpired) as error:
                    broken[name] = str(error)
                    self.log(f'  {name}: {error}')
                    if undo:
                        undo(name)
        # The first one of each warms the caches.
        medians = {name: statistics.median(v[1:]) for name, v in values.items() if len(v) > 1 and name not in broken}
        self.row(title, medians, unit, samples)

    def row(self, title, values, unit, samples=1):
        self.rows.append({'title': title, 'unit': unit, 'samples': samples, 'values': values})
        self.log(f'{title}: ' + ', '.join(f'{name} {value:.3g} {unit}' for name, value in values.items()))

    # What is prepared once.

    def prepare(self):
        tar = '/tmp/rootfs.tar'
        self.run('tar', '-C', f'{self.directory}/rootfs', '-cf', tar, '.')
        for program in list(self.programs):
            try:
                self.run(program, 'image', 'import', tar, IMAGE)
                self.run(program, 'run', '--rm', IMAGE, 'true')
            except RuntimeError as error:
                self.log(f'{program} cannot be measured: {error}')
                self.programs.remove(program)
        bundle = '/tmp/bundle'
        shutil.copytree(f'{self.directory}/rootfs', f'{bundle}/rootfs', symlinks=True)
        if shutil.which('crun'):
            subprocess.run(['crun', 'spec'], cwd=bundle, check=True)
            with open(f'{bundle}/config.json', encoding='utf-8') as stream:
                config = json.load(stream)
            config['process'] |= {'terminal': False, 'args': ['true']}
            config['root']['readonly'] = False
            with open(f'{bundle}/config.json', 'w', encoding='utf-8') as stream:
                json.dump(config, stream)

    def each(self, *words):
        return {program: [program, *words] for program in self.programs}

    def runs(self):
        samples = 5 if self.quick else 30
        subjects = self.each('run', '--rm', '--network=none', IMAGE, 'true')
        if shutil.which('crun'):
            subjects['crun'] = ['crun', 'run', '--bundle', '/tmp/bundle', 'bench-crun']
        subjects['floor'] = [f'{self.directory}/floor', 'container', f'{self.directory}/rootfs']
        self.interleave('run --rm --network=none IMAGE true', subjects, samples)
        self.interleave('run --rm IMAGE true, bridge', self.each('run', '--rm', IMAGE, 'true'), samples)

    def pod_of_two(self):
        def undo(name):
            self.run(name, 'pod', 'rm', '-f', '-t', '0', 'bench', check=False)
        subjects = {program: ['sh', '-c', f'{program} pod create --name bench -p {PORTS[program]}:80 && '
                              f'{program} run -d --pod bench {IMAGE} sleep 1000 && '
                              f'{program} run -d --pod bench {IMAGE} sleep 1000'] for program in self.programs}
        self.interleave('pod of 2, published port: create and start', subjects, 3 if self.quick else 10, undo=undo)

    def exec_and_ps(self):
        for program in self.programs:
            self.run(program, 'run', '-d', '--name', 'benchx', '--network=none', IMAGE, 'sleep', '1000')
        samples = 5 if self.quick else 30
        self.interleave('exec CONTAINER true', self.each('exec', 'benchx', 'true'), samples)
        for program in self.programs:
            self.run(program, 'rm', '-f', '-t', '0', 'benchx')
        self.interleave('ps, no container', self.each('ps'), samples)

    # Fifty pods: time, memory of the helpers, mounts.

    @staticmethod
    def helpers_pss(program):
        """kB of Pss of what stays beside the containers, infra processes included."""
        names = {'podctl': ('podctl-supervis', 'podctl-pause', 'podctl'),
                 'podman': ('conmon', 'catatonit', 'podman', 'pause')}[program]
        total = 0
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/comm', encoding='ascii') as stream:
                    if not stream.read().strip().startswith(names):
                        continue
                with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as stream:
                    total += int(re.search(r'^Pss:\s+(\d+)', stream.read(), re.M).group(1))
            except (OSError, AttributeError):
                pass
        return total

    @staticmethod
    def host_mounts():
        with open('/proc/self/mountinfo', encoding='utf-8') as stream:
            return sum(1 for _ in stream)

    def many_pods(self):
        pods = 5 if self.quick else 50
        script = (f'for i in $(seq 1 {pods}); do P pod create --name b$i && P run -d --pod b$i {IMAGE} sleep 10000 && '
                  f'P run -d --pod b$i {IMAGE} sleep 10000 || exit 1; done')
        times, memory, mounts, listing = {}, {}, {}, {}
        for program in self.programs:
            before = self.host_mounts()
            try:
                times[program] = self.watch('sh', '-c', script.replace('P ', f'{program} '))[0] / 1000
                memory[program] = self.helpers_pss(program) / (pods * 2)
                mounts[program] = self.host_mounts() - before
                listing[program] = statistics.median(self.watch(program, 'ps')[0] for _ in range(5 if self.quick else 20))
            except RuntimeError as error:
                self.log(f'  {program}: {error}')
            self.run(program, 'pod', 'rm', '-f', '-a', '-t', '0', check=False, timeout=600)
        self.row(f'{pods} pods of 2: create and start', times, 's')
        self.row(f'helpers, Pss a container ({pods} pods of 2)', memory, 'kB')
        self.row(f'host mounts of {pods} pods of 2', mounts, 'mounts')
        self.row(f'ps with {pods * 3} containers', listing, 'ms', 5 if self.quick else 20)

    # Through systemd.

    def write_units(self, program, folder):
        os.makedirs(folder, exist_ok=True)
        name = f'q{program}'
        files = {f'{name}.pod': f'[Pod]\nPublishPort={PORTS[program]}:80\n'}
        for member in ('one', 'two'):
            files[f'{name}-{member}.container'] = (
                f'[Container]\nImage={IMAGE}\nPull=never\nPod={name}.pod\nExec=sleep 10000\nStopTimeout=0\n')
        for file_name, text in files.items():
            with open(f'{folder}/{file_name}', 'w', encoding='ascii') as stream:
                stream.write(text)
        return [f'{name}-pod.service', f'{name}-one.service', f'{name}-two.service']

    def by_systemctl(self):
        folders = {'podctl': '/etc/podctl/systemd', 'podman': '/etc/containers/systemd'}
        units = {program: self.write_units(program, folders[program]) for program in self.programs}
        self.run('systemctl', 'daemon-reload')
        subjects = {program: ['systemctl', 'start', *names] for program, names in units.items()}

        def undo(name):
            self.run('systemctl', 'stop', *units[name], check=False)
            self.run('systemctl', 'reset-failed', check=False)
        self.interleave('pod of 2, published port: systemctl start', subjects, 3 if self.quick else 10, undo=undo)
        for folder in folders.values():
            shutil.rmtree(folder, ignore_errors=True)
        self.run('systemctl', 'daemon-reload')

    def generators(self):
        programs = {'podctl': 'podctl-system-generator', 'podman': 'podman-system-generator'}
        paths = {program: f'/usr/lib/systemd/system-generators/{name}' for program, name in programs.items()
                 if os.path.exists(f'/usr/lib/systemd/system-generators/{name}')}
        for count in (0, 1, 1000):
            source, out = f'/tmp/units-{count}', '/tmp/generated'
            os.makedirs(source, exist_ok=True)
            for number in range(count):
                with open(f'{source}/u{number}.container', 'w', encoding='ascii') as stream:
                    stream.write(f'[Unit]\nDescription=Unit {number}\n\n[Container]\nImage={IMAGE}\nExec=sleep {number}\n'
                                 'Environment=A=b\nPublishPort=8080:80\n\n[Install]\nWantedBy=multi-user.target\n')
            os.environ['QUADLET_UNIT_DIRS'] = source
            subjects = {program: [path, out, out, out] for program, path in paths.items()}
            if count:
                subjects['floor'] = [f'{self.directory}/floor', 'files', source, out]

            def fresh(unused):
                shutil.rmtree(out, ignore_errors=True)
                os.makedirs(out)
            self.interleave(f'generator, {count} files', subjects, 5 if self.quick or count == 1000 else 30, setup=fresh)
            del os.environ['QUADLET_UNIT_DIRS']
            shutil.rmtree(source)

    def versions(self):
        found = {'kernel': os.uname().release, 'cores': os.cpu_count()}
        for name, words in (('podctl', ['podctl', '--version']), ('podman', ['podman', '--version']),
                            ('crun', ['crun', '--version']), ('systemd', ['systemctl', '--version'])):
            if shutil.which(words[0]):
                found[name] = self.run(*words, check=False).split('\n')[0]
        with open('/proc/cpuinfo', encoding='ascii', errors='replace') as stream:
            match = re.search(r'^model name\s*:\s*(.*)$', stream.read(), re.M)
            found['cpu'] = match.group(1) if match else os.uname().machine
        return found


def main():
    directory, out = sys.argv[1:3]
    bench = Bench(directory, '--quick' in sys.argv)
    bench.prepare()
    begin = time.monotonic()
    for step in (bench.runs, bench.pod_of_two, bench.by_systemctl, bench.exec_and_ps, bench.many_pods, bench.generators):
        try:
            step()
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            bench.log(f'{step.__name__}: {error}')
    with open(out, 'w', encoding='utf-8') as stream:
        json.dump({'rows': bench.rows, 'versions': bench.versions(), 'quick': bench.quick,
                   'date': time.strftime('%Y-%m-%d'), 'seconds': round(time.monotonic() - begin)}, stream, indent=1)


if __name__ == '__main__':
    main()
