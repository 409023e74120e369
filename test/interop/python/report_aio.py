import uuid

from dapr.aio.clients import DaprClient


async def write_report(work):
    owner = str(uuid.uuid4())
    async with DaprClient() as client:
        async with await client.try_lock('lockstore', 'my_file_name', owner, 60) as lock:
            if lock:
                work()
