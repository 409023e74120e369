#pragma warning disable DAPR_DISTRIBUTEDLOCK // an error otherwise: locks are an alpha API
using Dapr.Client;

static class ReportOfDaprClient
{
    /// <summary>Does the work and returns true, or returns false: somebody else has the lock.</summary>
    public static async Task<bool> Write(Func<Task> work)
    {
        using var client = new DaprClientBuilder().Build();
        var owner = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid()}";
        // Not "await using": what Lock gives back looks at no status when it is disposed of.
        if (!(await client.Lock("lockstore", "my_file_name", owner, 60)).Success) return false;
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

    private static async Task Release(DaprClient client, string owner)
    {
        var released = await client.Unlock("lockstore", "my_file_name", owner);
        if (released.status == LockStatus.Success) return;
        throw new InvalidOperationException($"the lease was over before the work: unlock answered {released.status}");
    }
}
