#pragma warning disable DAPR_DISTRIBUTEDLOCK // an error otherwise: locks are an alpha API
using Dapr.DistributedLock;
using Dapr.DistributedLock.Extensions;

static class Sdk
{
    public static ILocks CreateLocks() => new PackageLocks();

    // The package has locks only.
    public static Task AskSidecar(Action<string, string> say) => Task.CompletedTask;
}

sealed class PackageLocks : ILocks
{
    private readonly DaprDistributedLockClient client = new DaprDistributedLockBuilder().Build();

    public async Task<bool> Lock(string resource, string owner, int seconds, string store) =>
        await client.TryLockAsync(store, resource, owner, seconds) is not null;

    public async Task<string> Unlock(string resource, string owner) =>
        Statuses.ToText((await client.TryUnlockAsync("lockstore", resource, owner)).Status.ToString());

    public async Task<IAsyncDisposable> Hold(string resource, string owner, int seconds) =>
        await client.TryLockAsync("lockstore", resource, owner, seconds)
        ?? throw new InvalidOperationException($"{resource} is not free");

    public Task<bool> WriteReport(Func<Task> work) => Report.Write(work);
}
