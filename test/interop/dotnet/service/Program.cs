#pragma warning disable DAPR_DISTRIBUTEDLOCK // an error otherwise: locks are an alpha API
using Dapr;
using Dapr.Client;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddDaprClient();
builder.Services.AddHostedService<ReportService>();
builder.Build().Run();

/// <summary>Tries each minute to write the report, on one instance at a time.</summary>
sealed class ReportService(DaprClient client, ILogger<ReportService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        using var minutes = new PeriodicTimer(TimeSpan.FromMinutes(1));
        do
        {
            try { await WriteIfFree(stopping); }
            catch (DaprException error) { logger.LogError(error, "No answer from the sidecar or its store."); }
            catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
            {
                logger.LogError("The work was stopped before its lease was over."); // else the host would stop
            }
        }
        while (await minutes.WaitForNextTickAsync(stopping));
    }

    private async Task WriteIfFree(CancellationToken stopping)
    {
        var owner = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid()}";
        // The lease counts from the call. The work gets a token that is cancelled ten seconds before its end.
        using var lease = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        lease.CancelAfter(TimeSpan.FromSeconds(50));
        if (!(await client.Lock("lockstore", "my_file_name", owner, 60, stopping)).Success) return;
        try { await Write(lease.Token); }
        finally
        {
            var released = await client.Unlock("lockstore", "my_file_name", owner, CancellationToken.None);
            if (released.status != LockStatus.Success)
                logger.LogError("The lease was over before the work: unlock answered {Status}", released.status);
        }
    }

    private Task Write(CancellationToken lease) => Task.CompletedTask; // here goes the work that only one may do
}
