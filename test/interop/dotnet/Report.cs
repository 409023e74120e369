#pragma warning disable DAPR_DISTRIBUTEDLOCK // an error otherwise: locks are an alpha API
using Dapr.DistributedLock;
using Dapr.DistributedLock.Extensions;
using Dapr.DistributedLock.Models;

static class Report
{
    /// <summary>Does the work and returns true, or returns false: somebody else has the lock.</summary>
    public static async Task<bool> Write(Func<Task> work)
    {
        using var client = new DaprDistributedLockBuilder().Build();
        var owner = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid()}";
        if (await client.TryLockAsync("lockstore", "my_file_name", owner, 60) is null) return false;
        try
        {
            await work();
        }
        catch // the caller gets the error of the work
        {
            try { await Release(client, owner); } catch (Exception error) { Console.Error.WriteLine(error); }
            throw;
        }
        await Release(client, owner);
        return true;
    }

    private static async Task Release(DaprDistributedLockClient client, string owner)
    {
        var released = await client.TryUnlockAsync("lockstore", "my_file_name", owner);
        if (released.Status == LockStatus.Success) return;
        throw new InvalidOperationException($"the lease was over before the work: unlock answered {released.Status}");
    }
}
