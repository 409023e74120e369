import uuid

from dapr.clients import DaprClient


def write_report(work):
    owner = str(uuid.uuid4())  # a name of its own for each lock that is taken
    with DaprClient() as client:
        with client.try_lock('lockstore', 'my_file_name', owner, 60) as lock:
            if lock:  # else somebody else has it: that is an answer, not an error
                work()
        # released at the end of the block
