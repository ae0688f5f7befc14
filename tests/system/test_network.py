# SPDX-License-Identifier: LGPL-2.1-or-later
"""Networks: published ports from every side, the way out, none and host."""
import contextlib
import json
import socket
import subprocess
import time

import pytest

from lib import leaks
from lib.command import IS_PODMAN, namespace, wait_for

SERVER = ('httpd', '-f', '-p', '80', '-h', '/www')
UPLINK = '203.0.113.1'
OUTSIDE = '203.0.113.2'


def fetch(host, port, path='/', family=socket.AF_INET, timeout=3.0):
    """The body of an HTTP answer; an OSError when there is none."""
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(timeout)
        client.connect((host, port))
        client.sendall(f'GET {path} HTTP/1.0\r\n\r\n'.encode())
        data = b''
        while True:
            part = client.recv(4096)
            if not part:
                break
            data += part
    return data.decode(errors='replace').partition('\r\n\r\n')[2]


def answers(host, port):
    with contextlib.suppress(OSError):
        return 'hello' in fetch(host, port)
    return False


def ip(*words):
    return subprocess.run(['ip', *words], check=True, capture_output=True, text=True, timeout=10).stdout


@pytest.fixture(scope='module')
def outside():
    """Another network namespace behind a veth pair: a machine next door. Its name is a pid."""
    holder = subprocess.Popen(['unshare', '--net', 'sleep', '3600'])
    wait_for(lambda: namespace(holder.pid, 'net') != namespace('self', 'net'))
    enter = ['nsenter', '-t', str(holder.pid), '-n']
    ip('link', 'add', 'uplink0', 'type', 'veth', 'peer', 'name', 'next0', 'netns', str(holder.pid))
    ip('addr', 'add', f'{UPLINK}/24', 'dev', 'uplink0')
    ip('link', 'set', 'uplink0', 'up')
    for words in (['link', 'set', 'lo', 'up'], ['addr', 'add', f'{OUTSIDE}/24', 'dev', 'next0'],
                  ['link', 'set', 'next0', 'up']):
        subprocess.run([*enter, 'ip', *words], check=True, timeout=10)
    ip('route', 'add', 'default', 'via', OUTSIDE)
    yield enter
    ip('route', 'del', 'default')
    ip('link', 'del', 'uplink0')
    holder.kill()
    holder.wait()


@pytest.fixture
def web(podctl, image):
    """A pod that answers HTTP on port 8080 of the host."""
    podctl('pod', 'create', '--name', 'web', '-p', '8080:80')
    podctl.pod_add('web', image, *SERVER, options=['--name', 'server'])
    wait_for(lambda: answers('127.0.0.1', 8080))
    yield 'web'
    podctl('pod', 'rm', '-f', '-t', '0', 'web')


def test_members_reach_each_other_on_localhost(podctl, image, web):
    podctl.pod_add(web, image, '/probe', 'sleep', options=['--name', 'client'])
    assert 'hello' in podctl('exec', 'client', 'wget', '-qO-', 'http://127.0.0.1/').stdout


def test_published_port_from_loopback_and_from_the_hosts_address(web, outside):
    assert 'hello' in fetch('127.0.0.1', 8080)
    assert 'hello' in fetch(UPLINK, 8080)


def test_published_port_from_another_machine(web, outside):
    text = subprocess.run([*outside, 'busybox', 'wget', '-qO-', f'http://{UPLINK}:8080/'], capture_output=True,
                          text=True, check=True, timeout=10).stdout
    assert 'hello' in text


def test_published_port_from_another_pod(podctl, image, web, outside):
    assert 'hello' in podctl('run', '--rm', image, 'wget', '-qO-', f'http://{UPLINK}:8080/', timeout=15).stdout


@pytest.mark.skipif(IS_PODMAN, reason='no answer there')
def test_pod_reaches_itself_through_its_published_port(podctl, web, outside):
    assert 'hello' in podctl('exec', 'server', 'wget', '-qO-', f'http://{UPLINK}:8080/', timeout=15).stdout


def test_outgoing_traffic_is_translated(podctl, image, outside):
    """What goes out carries the host's address."""
    script = ('import socket; s = socket.socket(); s.bind(("0.0.0.0", 7777)); s.listen(); print("ready", flush=True);'
              'c, a = s.accept(); print(a[0], flush=True)')
    server = subprocess.Popen([*outside, '/usr/bin/python3', '-c', script], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout.readline() == 'ready\n'
        podctl('run', '--rm', image, 'nc', '-w', '2', OUTSIDE, '7777', timeout=15, check=False)
        assert server.stdout.readline().strip() == UPLINK
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_port_is_free_again(podctl, web):
    podctl('pod', 'stop', '-t', '0', web)
    assert not answers('127.0.0.1', 8080)
    podctl('pod', 'start', web)
    wait_for(lambda: answers('127.0.0.1', 8080))


def test_port_on_one_address_only(podctl, image, outside):
    """security: B11-07"""
    podctl('run', '-d', '--name', 'c1', '-p', '127.0.0.1:8081:80', image, *SERVER)
    wait_for(lambda: answers('127.0.0.1', 8081))
    assert not answers(UPLINK, 8081)
    podctl('rm', '-f', '-t', '0', 'c1')


def test_port_range(podctl, image):
    podctl('run', '-d', '--name', 'c1', '-p', '9000-9002:80-82', image, 'sh', '-c',
           'for p in 80 81 82; do httpd -p $p -h /www; done; exec /probe sleep')
    for port in (9000, 9001, 9002):
        wait_for(lambda port=port: answers('127.0.0.1', port))
    assert podctl('port', 'c1', check=False).code in (0, 125)
    podctl('rm', '-f', '-t', '0', 'c1')


def test_random_host_port_is_told(podctl, image):
    podctl('run', '-d', '--name', 'c1', '-p', '80', image, *SERVER)
    bindings = podctl.inspect('c1')['NetworkSettings']['Ports']['80/tcp']
    port = int(bindings[0]['HostPort'])
    assert port > 1023
    wait_for(lambda: answers('127.0.0.1', port))
    podctl('rm', '-f', '-t', '0', 'c1')


def test_udp(podctl, image):
    podctl('run', '-d', '--name', 'c1', '-p', '5353:5353/udp', image, '/probe', 'udp', '5353')

    def echo():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.3)
            client.connect(('127.0.0.1', 5353))
            with contextlib.suppress(OSError):
                client.send(b'ping')
                return client.recv(100) == b'ping'
        return False
    wait_for(echo)
    podctl('rm', '-f', '-t', '0', 'c1')


def test_ports_of_ps(podctl, web):
    assert podctl('ps', '--filter', 'name=server', '--format', '{{.Ports}}').out == '0.0.0.0:8080->80/tcp'


def test_network_none(podctl, image):
    text = podctl('run', '--rm', '--network=none', image, 'ip', 'addr').stdout
    assert 'lo:' in text and 'eth0' not in text and 'inet 127.0.0.1' in text


def test_network_host(podctl, image):
    facts = podctl.facts('--network=host')
    assert facts['namespaces']['net'] == namespace('self', 'net')


def test_container_has_address_route_and_resolver(podctl, image):
    text = podctl('run', '--rm', image, 'sh', '-c', 'ip addr show eth0; ip route; cat /etc/resolv.conf').stdout
    assert 'default via' in text and 'inet ' in text


def test_addresses_differ_and_return(podctl, image):
    for name in ('a1', 'a2'):
        podctl('run', '-d', '--name', name, image, '/probe', 'sleep')
    first, second = ({name: podctl.inspect(name)['NetworkSettings'] for name in ('a1', 'a2')}.values())

    def address(settings):
        return settings['IPAddress'] or next(iter(settings['Networks'].values()))['IPAddress']
    assert address(first) and address(first) != address(second)
    podctl('rm', '-f', '-t', '0', 'a1', 'a2')


def test_join_another_container(podctl, image):
    podctl('run', '-d', '--name', 'a1', image, '/probe', 'sleep')
    facts = podctl.facts('--network', 'container:a1')
    assert facts['namespaces']['net'] == namespace(podctl.pid('a1'), 'net')
    podctl('rm', '-f', '-t', '0', 'a1')


def test_dns_options(podctl, image):
    text = podctl('run', '--rm', '--dns', '192.0.2.1', '--dns-search', 'example.org', '--dns-option', 'ndots:2', image,
                  'cat', '/etc/resolv.conf').stdout
    assert 'nameserver 192.0.2.1' in text and 'search example.org' in text and 'ndots:2' in text


def test_sigkill_of_the_infra_frees_the_network(podctl, image, web):
    """The journal knows what was made: rm -f undoes it although nobody cleaned up. security: B11-18"""
    import os
    import signal
    infra = podctl.infra_pid(web)
    os.kill(infra, signal.SIGKILL)
    time.sleep(0.1)
    podctl('pod', 'rm', '-f', '-t', '0', web)
    assert not answers('127.0.0.1', 8080)
    if not IS_PODMAN:
        assert not [link for link in leaks.links() if 'veth' in link]
    podctl('pod', 'create', '--name', web)


@pytest.mark.skipif(IS_PODMAN, reason='the table is podctl\'s')
def test_firewall_has_one_table_of_ours(podctl, web):
    tables = [item['table'] for item in json.loads(subprocess.run(
        ['nft', '-j', 'list', 'tables'], capture_output=True, text=True, check=True).stdout)['nftables']
        if 'table' in item]
    assert tables and {table['name'] for table in tables} == {'podctl'}


@pytest.mark.skipif(IS_PODMAN, reason='podman 5.4 needs a reload')
def test_a_stranger_s_ruleset_is_not_touched(podctl, image):
    subprocess.run(['nft', 'add', 'table', 'inet', 'stranger'], check=True)
    before = subprocess.run(['nft', 'list', 'table', 'inet', 'stranger'], capture_output=True, check=True).stdout
    podctl('run', '--rm', '-p', '8082:80', image, 'true')
    assert subprocess.run(['nft', 'list', 'table', 'inet', 'stranger'], capture_output=True,
                          check=True).stdout == before
    subprocess.run(['nft', 'delete', 'table', 'inet', 'stranger'], check=True)


@pytest.mark.skipif(IS_PODMAN, reason='the bridge of podman stays')
def test_default_network_goes_with_its_last_container(podctl, image):
    """Bridge, table and the process that takes them down: all gone a moment after the last container."""
    podctl('run', '-d', '--name', 'c1', image, '/probe', 'sleep')
    podctl('rm', '-f', '-t', '0', 'c1')

    def is_gone():
        tables = subprocess.run(['nft', 'list', 'tables'], capture_output=True, text=True, check=True).stdout
        processes = subprocess.run(['ps', '-eo', 'comm'], capture_output=True, text=True, check=True).stdout
        return 'podctl' not in tables and 'podctl' not in ip('-o', 'link') and 'podctl' not in processes
    wait_for(is_gone, 5)
