using System.Diagnostics;
using Grpc.Core;
using Holdfast.V1;

static class Hold
{
    /// <summary>
    /// Waits for a lock, does the work with it, and releases it. The work gets the token, which it passes along with each
    /// write. Its CancellationToken is cancelled as soon as the lock may be lost; then the call throws, too.
    /// </summary>
    public static async Task Lock(Locks.LocksClient locks, HoldRequest request, Func<long, CancellationToken, Task> work)
    {
        using var lost = new CancellationTokenSource();
        var sinceCall = Stopwatch.StartNew(); // each ValidMs counts from the call
        void EndAfter(long validMs) =>
            lost.CancelAfter(TimeSpan.FromMilliseconds(Math.Max(0, validMs - sinceCall.ElapsedMilliseconds)));

        using var call = locks.Hold(request); // its disposal ends the call, and so releases the lock
        var events = call.ResponseStream;
        await events.MoveNext(CancellationToken.None);
        if (events.Current.Queued is not null) await events.MoveNext(CancellationToken.None);
        var lease = events.Current.Held?.Lease ?? throw new TimeoutException("somebody else has the lock");
        EndAfter(lease.ValidMs);
        _ = Follow();
        await work(lease.FencingToken, lost.Token);
        if (lost.IsCancellationRequested) throw new InvalidOperationException("the lock was lost");

        async Task Follow()
        {
            try
            {
                while (await events.MoveNext(CancellationToken.None))
                {
                    if (events.Current.Renewed is { } renewed) EndAfter(renewed.ValidMs);
                    if (events.Current.Lost is not null) EndAfter(0);
                }
            }
            catch { /* the lease still lasts for as long as was said */ }
        }
    }
}
