import logging
import os
import socket
import uuid

from dapr.aio.clients import DaprClient


async def write_report(work):
    """Awaits the work and returns True, or returns False: somebody else has the lock."""
    owner = f'{socket.gethostname()}-{os.getpid()}-{uuid.uuid4()}'
    async with DaprClient() as client:
        if not (await client.try_lock('lockstore', 'my_file_name', owner, 60)).success:
            return False
        try:
            await work()
        except BaseException:  # also where the task is cancelled
            try:
                await release(client, owner)
            except Exception:  # the caller gets the error of the work
                logging.exception('my_file_name was not released after work that failed')
            raise
        await release(client, owner)
        return True


async def release(client, owner):
    status = (await client.unlock('lockstore', 'my_file_name', owner)).status
    if status.name != 'success':
        raise RuntimeError(f'the lease was over before the work: unlock answered {status.name}')
