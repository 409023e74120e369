import os

import grpc

from hold import hold
from holdfast.v1 import locks_pb2, locks_pb2_grpc


def write_report(write):
    """Waits for up to a minute for the lock, and writes while it has it."""
    request = locks_pb2.HoldRequest(
        store_name='lockstore', resource_id='my_file_name', ttl_ms=10_000, wait_ms=60_000
    )
    with grpc.insecure_channel(f'127.0.0.1:{os.environ["DAPR_GRPC_PORT"]}') as channel:
        with hold(locks_pb2_grpc.LocksStub(channel), request) as lock:
            write(lock)
