import contextlib
import threading
import time

import grpc


class Lock:
    """A lock that is held. Call check() before each write, and pass the token along with it."""

    token = 0
    ends_at = 0.0

    def check(self):
        if time.monotonic() >= self.ends_at:
            raise RuntimeError('the lock was lost')


@contextlib.contextmanager
def hold(locks, request):
    """Waits for a lock and holds it for a `with` block. Its end releases the lock, or says that it was lost."""
    lock, sent_at = Lock(), time.monotonic()  # each valid_ms counts from the call
    call = locks.Hold(request)

    def follow():
        with contextlib.suppress(grpc.RpcError):  # the lease still lasts for as long as was said
            for event in call:
                if event.HasField('renewed'):
                    lock.ends_at = sent_at + event.renewed.valid_ms / 1000
                elif event.HasField('lost'):
                    lock.ends_at = 0.0

    event = next(call)
    if event.HasField('queued'):
        event = next(call)
    if event.HasField('refused'):
        raise TimeoutError('somebody else has the lock')
    lock.token = event.held.lease.fencing_token
    lock.ends_at = sent_at + event.held.lease.valid_ms / 1000
    threading.Thread(target=follow, daemon=True).start()
    try:
        yield lock
        lock.check()
    finally:
        call.cancel()  # releases the lock
