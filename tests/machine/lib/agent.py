# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs inside the virtual machine: does what the tests ask on a virtio port, one JSON object a line.

{"id": N, "do": "run", "words": [...], "input": B64, "env": {...}, "cwd": DIR, "seconds": S}
        -> {"id": N, "status": STATUS or null (took too long), "out": B64, "err": B64}
{"id": N, "do": "write", "path": P, "data": B64, "append": BOOL, "mode": M}    -> {"id": N}
{"id": N, "do": "read", "path": P, "offset": O}  -> {"id": N, "data": B64}     (at most 1 MiB)
Errors answer {"id": N, "error": TEXT}. The first line is {"hello": BOOT_ID}.
"""
import base64
import json
import os
import signal
import subprocess
import threading
import time

PORT_NAME = 'podctl.agent'
OUTPUT_MAX = 8 * 1024 * 1024
CHUNK = 1024 * 1024
ENVIRONMENT = {'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root', 'LANG': 'C.UTF-8',
               'PYTHONDONTWRITEBYTECODE': '1'}


def find_port():
    base = '/sys/class/virtio-ports'
    while True:
        for name in os.listdir(base) if os.path.isdir(base) else ():
            with open(f'{base}/{name}/name', encoding='ascii') as stream:
                if stream.read().strip() == PORT_NAME:
                    return f'/dev/{name}'
        time.sleep(0.05)


def ordinary():
    """A command is nobody special: killed like others when memory is short."""
    with open('/proc/self/oom_score_adj', 'w', encoding='ascii') as stream:
        stream.write('0')


def do_run(request):
    data = base64.b64decode(request.get('input') or '')
    with subprocess.Popen(request['words'], stdin=subprocess.PIPE if data else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=request.get('cwd') or '/root',
                          env={**ENVIRONMENT, **(request.get('env') or {})}, start_new_session=True,
                          preexec_fn=ordinary) as process:
        try:
            out, err = process.communicate(data or None, request['seconds'])
            status = process.returncode
        except subprocess.TimeoutExpired as expired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            # What has left the group may hold the pipes for ever.
            process.stdout.close()
            process.stderr.close()
            status, out, err = None, expired.stdout or b'', expired.stderr or b''
    return {'status': status, 'out': base64.b64encode(out[:OUTPUT_MAX]).decode(),
            'err': base64.b64encode(err[:OUTPUT_MAX]).decode()}


def do_write(request):
    os.makedirs(os.path.dirname(request['path']), exist_ok=True)
    with open(request['path'], 'ab' if request.get('append') else 'wb') as stream:
        stream.write(base64.b64decode(request['data']))
        if request.get('mode'):
            os.fchmod(stream.fileno(), request['mode'])
    return {}


def do_read(request):
    with open(request['path'], 'rb') as stream:
        if request.get('offset'):
            stream.seek(request['offset'])
        return {'data': base64.b64encode(stream.read(CHUNK)).decode()}


DO = {'run': do_run, 'write': do_write, 'read': do_read}


class Port:
    def __init__(self):
        self.fd = os.open(find_port(), os.O_RDWR | os.O_CLOEXEC)
        self.lock = threading.Lock()

    def send(self, message):
        data = json.dumps(message).encode() + b'\n'
        with self.lock:
            while data:
                data = data[os.write(self.fd, data):]

    def lines(self):
        rest = b''
        while True:
            data = os.read(self.fd, 65536)
            if not data:
                # Nobody holds the other end at the moment.
                time.sleep(0.05)
                continue
            *lines, rest = (rest + data).split(b'\n')
            yield from lines

    def serve(self, request):
        try:
            answer = DO[request['do']](request)
        except Exception as error:  # whatever it is, the tests are told
            answer = {'error': f'{type(error).__name__}: {error}'}
        self.send({'id': request['id'], **answer})


def main():
    port = Port()
    with open('/proc/sys/kernel/random/boot_id', encoding='ascii') as stream:
        port.send({'hello': stream.read().strip()})
    for line in port.lines():
        threading.Thread(target=port.serve, args=(json.loads(line),), daemon=True).start()


if __name__ == '__main__':
    main()
