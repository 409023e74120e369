"""A user's program on Dapr's Python SDK: `program.py SCENARIO`, blocking or with asyncio by WAY.

Each step is printed as "step<TAB>answer". The program is written once, with asyncio; the blocking
client is awaited through `maybe`, which takes values that are there already.
"""

import asyncio
import inspect
import os
import sys
import time
import uuid

from dapr.aio.clients import DaprClient as AioDaprClient
from dapr.clients import DaprClient

import report
import report_aio

STORE = 'lockstore'
IS_AIO = os.environ.get('WAY') == 'aio'
STATUSES = {
    'success': 'success',
    'lock_does_not_exist': 'does not exist',
    'lock_belongs_to_others': 'belongs to others',
}


def say(step, answer):
    print(f'{step}\t{str(answer).replace(chr(10), " ")}', flush=True)


def wait_for(what):
    say('waiting', what)
    sys.stdin.readline()


async def maybe(value):
    return await value if inspect.isawaitable(value) else value


async def shown(call):
    """What an answer or an error looks like to the user."""
    try:
        return await call
    except Exception as error:  # whatever the SDK raises is what is looked at
        return f'error: {type(error).__name__} {error}'


class Program:
    def __init__(self, client):
        self.client = client

    async def try_lock(self, resource, owner, seconds, store=STORE):
        response = await maybe(self.client.try_lock(store, resource, owner, seconds))
        return str(response.success).lower()

    async def unlock(self, resource, owner):
        response = await maybe(self.client.unlock(STORE, resource, owner))
        return STATUSES.get(response.status.name, response.status.name)

    async def until(self, wanted, call):
        answer = None
        ends_at = time.monotonic() + 30
        while answer != wanted and time.monotonic() < ends_at:
            answer = await shown(call())
            await asyncio.sleep(0.05)
        return answer

    async def lock(self):
        say('lock a free resource', await self.try_lock('report', 'alice', 60))
        say('lock it again as its owner', await self.try_lock('report', 'alice', 60))
        say('lock it as another owner', await self.try_lock('report', 'bob', 60))
        say('unlock it as another owner', await self.unlock('report', 'bob'))
        say('unlock it', await self.unlock('report', 'alice'))
        say('unlock it again', await self.unlock('report', 'alice'))
        say('lock it for 1 s', await self.try_lock('report', 'alice', 1))
        say('lock it as another owner before that', await self.try_lock('report', 'bob', 60))
        got = await self.until('true', lambda: self.try_lock('report', 'bob', 60))
        say('lock it as another owner after that', got)
        await self.unlock('report', 'bob')

    async def scope(self):
        refused = 'inside the block another owner is refused'
        if IS_AIO:
            async with await self.client.try_lock(STORE, 'scoped', 'alice', 60):
                say(refused, await self.try_lock('scoped', 'bob', 60))
        else:
            with self.client.try_lock(STORE, 'scoped', 'alice', 60):
                say(refused, await self.try_lock('scoped', 'bob', 60))
        say('after the block another owner gets it', await self.try_lock('scoped', 'bob', 60))

    async def snippet(self):
        say('work while the lock is free', await work_of(fine))
        say('lock as another owner after it', await self.try_lock('my_file_name', 'bob', 60))
        say('work while that owner holds it', await work_of(fine))
        say('unlock as that owner', await self.unlock('my_file_name', 'bob'))
        say('work that fails', await shown(work_of(failing)))
        say('lock as another owner after that', await self.try_lock('my_file_name', 'bob', 60))
        say('unlock as that owner again', await self.unlock('my_file_name', 'bob'))
        overrun = await shown(work_of(lambda: wait_for('lease over')))
        say('work that is longer than its lease', overrun)

    async def errors(self):
        say('an unknown store', await shown(self.try_lock('r', 'o', 60, 'nope')))
        say('an empty resource', await shown(self.try_lock('', 'o', 60)))
        say('an empty owner', await shown(self.try_lock('r', '', 60)))
        say('expiry 0', await shown(self.try_lock('r', 'o', 0)))
        say('two pipes in the resource', await shown(self.try_lock('a||b', 'o', 60)))

    async def contend(self, file, owner):
        wait_for('ready')
        refused = 0
        while await self.try_lock('my_file_name', owner, 60) != 'true':
            refused += 1
            await asyncio.sleep(0.05)
        append(file, 'begin')
        await asyncio.sleep(1)
        append(file, 'end')
        say('unlock after the work', await self.unlock('my_file_name', owner))
        say('refused before it', refused)

    async def token(self):
        say('lock with a token', await shown(self.try_lock('guarded', str(uuid.uuid4()), 1)))

    async def restart(self):
        say('lock before the stop', await self.try_lock('kept', 'alice', 60))
        wait_for('stop')
        say('call while it is stopped', await shown(self.unlock('kept', 'alice')))
        wait_for('start')
        unlocked = await self.until('success', lambda: self.unlock('kept', 'alice'))
        say('unlock after the start', unlocked)

    async def sidecar(self):
        say('construction, which waits for the sidecar', 'ok')
        say('metadata id', (await maybe(self.client.get_metadata())).application_id)
        await maybe(self.client.set_metadata('team', 'storage'))
        say('set metadata', 'ok')
        await maybe(self.client.shutdown())
        say('shutdown', 'ok')


def fine():
    pass


def failing():
    raise OSError('no space left')


async def work_of(work):
    async def awaited():
        work()

    if IS_AIO:
        done = await report_aio.write_report(awaited)
    else:
        done = report.write_report(work)
    return 'done' if done else 'not done'


def append(file, what):
    with open(file, 'a') as lines:
        lines.write(f'{what} {os.getpid()}\n')


async def main(scenario, *rest):
    if IS_AIO:
        async with AioDaprClient() as client:
            await getattr(Program(client), scenario)(*rest)
    else:
        with DaprClient() as client:
            await getattr(Program(client), scenario)(*rest)


asyncio.run(main(*sys.argv[1:]))
