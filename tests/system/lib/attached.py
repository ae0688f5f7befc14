# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of attach and of the supervisor share: finding it, its socket, and what it shows of itself."""
import os
import socket
import struct

from lib.command import wait_for
from lib.terminal import Terminal

RUN = '/run/podctl/containers'


def at_terminal(podctl, *words, **more):
    return Terminal(podctl.words(*words), **more)


def supervisor(podctl, name):
    """Its pid: the parent of the container's first process."""
    with open(f'/proc/{podctl.pid(name)}/stat', encoding='ascii') as stream:
        return int(stream.read().rsplit(')', 1)[1].split()[1])


def attach_socket(podctl, name):
    return f'{RUN}/{podctl.inspect(name)["Id"]}/attach'


def status_fields(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as stream:
        return dict(line.rstrip('\n').split(':\t', 1) for line in stream if ':\t' in line)


def logs_have(podctl, name, text):
    return wait_for(lambda: text in podctl('logs', name).stdout)


def attached(podctl, name):
    """How many are connected: the supervisor's own ends of the socket."""
    pid = supervisor(podctl, name)
    sockets = 0
    for number in os.listdir(f'/proc/{pid}/fd'):
        try:
            if os.readlink(f'/proc/{pid}/fd/{number}').startswith('socket:'):
                sockets += 1
        except OSError:
            pass
    return sockets - 1  # the one that listens


def descriptors(pid):
    found = []
    for number in os.listdir(f'/proc/{pid}/fd'):
        try:
            found.append(os.readlink(f'/proc/{pid}/fd/{number}'))
        except OSError:
            pass
    return found


def connect(path):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(10)
    client.connect(path)
    return client


def greet(path, flags=3):
    client = connect(path)
    client.send(struct.pack('=BBH', ord('H'), 1, flags))
    assert client.recv(100)[:1] == b'W'
    return client


def tail(path):
    with open(path, 'rb') as stream:
        stream.seek(max(0, os.path.getsize(path) - 200))
        return stream.read().decode()
