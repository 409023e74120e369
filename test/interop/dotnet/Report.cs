#pragma warning disable DAPR_DISTRIBUTEDLOCK // an error otherwise: locks are an alpha API
using Dapr.DistributedLock.Extensions;

static class Report
{
    public static async Task Write(Action work)
    {
        using var client = new DaprDistributedLockBuilder().Build();
        var owner = Guid.NewGuid().ToString(); // a name of its own for each lock that is taken
        await using var fileLock = await client.TryLockAsync("lockstore", "my_file_name", owner, 60);
        if (fileLock is not null) // null: somebody else has it, which is an answer, not an error
        {
            work();
        }
    }
}
