"""A user's program on stubs of the native API: `program.py first|second`.

Each step is printed as "step<TAB>answer".
"""

import os
import sys
import threading
import time
import urllib.error
import urllib.request

import grpc

from hold import hold
from holdfast.v1 import locks_pb2, locks_pb2_grpc
from report import write_report

STORE = 'lockstore'
RESOURCE = 'my_file_name'
TTL_MS = 2000


def say(step, answer):
    text = str(answer).lower() if isinstance(answer, bool) else str(answer)
    print(f'{step}\t{text.replace(chr(10), " ")}', flush=True)


def wait_for(what):
    say('waiting', what)
    sys.stdin.readline()


def write(token, what):
    """Sends the token along: the store refuses one that is lower than one it has seen."""
    headers = {'fencing-token': str(token)}
    request = urllib.request.Request(
        os.environ['STORE_URL'], what.encode(), headers, method='PUT'
    )
    try:
        urllib.request.urlopen(request).close()
        return 'written'
    except urllib.error.HTTPError as error:
        return 'refused' if error.code == 409 else str(error)


def request_for(resource):
    return locks_pb2.HoldRequest(
        store_name=STORE, resource_id=resource, ttl_ms=TTL_MS, wait_ms=60_000
    )


def tell_events(locks, names):
    """Reads a hold to its end."""
    for event in locks.Hold(request_for('watched')):
        name = event.WhichOneof('event')
        if name == 'lost':
            name += ':' + locks_pb2.HoldEvent.Lost.Reason.Name(event.lost.reason)
        if name not in names[-1:]:
            names.append(name)


def is_held(lock):
    try:
        lock.check()
        return True
    except RuntimeError:
        return False


def first(locks):
    acquire = locks_pb2.AcquireRequest(store_name=STORE, resource_id=RESOURCE, ttl_ms=TTL_MS)
    before = locks.Acquire(acquire).holder
    say('acquire it while another has it', before.lock_owner + ' has it')
    names = []
    telling = threading.Thread(target=tell_events, args=(locks, names))
    telling.start()
    try:
        with hold(locks, request_for(RESOURCE)) as lock:
            say('its token is higher than the one before', lock.token > before.fencing_token)
            say('write with its token', write(lock.token, 'first'))
            time.sleep(TTL_MS * 1.5 / 1000)
            say('it is held for longer than one lease', is_held(lock))
            wait_for('Redis is gone')
            while is_held(lock):
                time.sleep(0.05)
            say('it is told that the lock is lost', True)
    except RuntimeError as error:
        say('its hold ends with an error', f'error: {error}')
    telling.join()
    say('events of a hold', ' '.join(names))
    wait_for('the second holds the lock')
    now = locks.Get(locks_pb2.GetRequest(store_name=STORE, resource_id=RESOURCE)).lock
    say('the second has the lock, with a higher token', now.fencing_token > lock.token)
    say('write with the old token', write(lock.token, 'first again'))


def second(_locks):
    def work(lock):
        say('write with its token', write(lock.token, 'second'))
        wait_for('the first has ended')

    write_report(work)
    say('its hold ends well', True)


with grpc.insecure_channel(f'127.0.0.1:{os.environ["DAPR_GRPC_PORT"]}') as channel:
    {'first': first, 'second': second}[sys.argv[1]](locks_pb2_grpc.LocksStub(channel))
