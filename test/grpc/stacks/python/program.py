"""Calls the test service by grpcio, on the C core: PORT STREAMS BYTES."""

import asyncio
import sys

import grpc

SERVICE = "/grpc.testing.TestService/"
# StreamingOutputCallRequest with one response parameter: 100 bytes.
ASKS_FOR_100_BYTES = bytes([0x12, 2, 0x08, 100])


def varint(number):
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def with_length(key, content):
    return bytes([key]) + varint(len(content)) + content


async def main(port, streams, size):
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        full_duplex = channel.stream_stream(SERVICE + "FullDuplexCall")
        calls = [full_duplex(timeout=100) for _ in range(streams)]
        for call in calls:
            await call.write(ASKS_FOR_100_BYTES)
        for call in calls:
            assert len(await call.read()) > 100
        for call in calls:
            await call.done_writing()
            assert await call.read() is grpc.aio.EOF
            assert await call.code() is grpc.StatusCode.OK

        # SimpleRequest with its response size and payload.
        request = bytes([0x10]) + varint(size) + with_length(0x1A, with_length(0x12, bytes(size)))
        answer = await channel.unary_unary(SERVICE + "UnaryCall")(request, timeout=100)
        assert len(answer) > size
    print("ok")


asyncio.run(main(*map(int, sys.argv[1:])))
