import logging
import os
import socket
import uuid

from dapr.clients import DaprClient


def write_report(work):
    """Does the work and returns True, or returns False: somebody else has the lock."""
    owner = f'{socket.gethostname()}-{os.getpid()}-{uuid.uuid4()}'
    with DaprClient() as client:
        if not client.try_lock('lockstore', 'my_file_name', owner, 60).success:
            return False
        try:
            work()
        except BaseException:
            try:
                release(client, owner)
            except Exception:  # the caller gets the error of the work
                logging.exception('my_file_name was not released after work that failed')
            raise
        release(client, owner)
        return True


def release(client, owner):
    status = client.unlock('lockstore', 'my_file_name', owner).status
    if status.name != 'success':
        raise RuntimeError(f'the lease was over before the work: unlock answered {status.name}')
