#pragma warning disable DAPR_DISTRIBUTEDLOCK // an error otherwise: locks are an alpha API
using Dapr.Client;

static class Sdk
{
    public static ILocks CreateLocks() => new ClientLocks();

    public static async Task AskSidecar(Action<string, string> say)
    {
        using var client = new DaprClientBuilder().Build();
        await client.WaitForSidecarAsync();
        say("WaitForSidecarAsync", "ok");
        say("healthy", (await client.CheckHealthAsync()).ToString().ToLowerInvariant());
        say("metadata id", (await client.GetMetadataAsync()).Id);
        await client.ShutdownSidecarAsync();
        say("shutdown", "ok");
    }
}

sealed class ClientLocks : ILocks
{
    private readonly DaprClient client = new DaprClientBuilder().Build();

    public async Task<bool> Lock(string resource, string owner, int seconds, string store) =>
        (await client.Lock(store, resource, owner, seconds)).Success;

    public async Task<string> Unlock(string resource, string owner) =>
        Statuses.ToText((await client.Unlock("lockstore", resource, owner)).status.ToString());

    public async Task<IAsyncDisposable> Hold(string resource, string owner, int seconds) =>
        await client.Lock("lockstore", resource, owner, seconds);

    public Task<bool> WriteReport(Func<Task> work) => ReportOfDaprClient.Write(work);
}
