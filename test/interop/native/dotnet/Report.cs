using Grpc.Net.Client;
using Holdfast.V1;

static class Report
{
    /// <summary>Waits for up to a minute for the lock, and writes while it has it.</summary>
    public static async Task Write(Func<long, CancellationToken, Task> write)
    {
        var port = Environment.GetEnvironmentVariable("DAPR_GRPC_PORT");
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
        var request = new HoldRequest { StoreName = "lockstore", ResourceId = "my_file_name", TtlMs = 10_000, WaitMs = 60_000 };
        await Hold.Lock(new Locks.LocksClient(channel), request, write);
    }
}
