// A user's program on stubs of the native API: `program first|second`. Each step is printed as "step<TAB>answer".

using Grpc.Core;
using Grpc.Net.Client;
using Holdfast.V1;

const string store = "lockstore";
const string resource = "my_file_name";
const int ttlMs = 2000;

using var http = new HttpClient();
using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{Environment.GetEnvironmentVariable("DAPR_GRPC_PORT")}");
var locks = new Locks.LocksClient(channel);

switch (args[0])
{
    case "first":
        await First();
        break;

    case "second":
        await Report.Write(async (token, _) =>
        {
            Say("write with its token", await Write(token, "second"));
            await WaitFor("the first has ended");
        });
        Say("its hold ends well", "true");
        break;
}

async Task First()
{
    var acquire = new AcquireRequest { StoreName = store, ResourceId = resource, TtlMs = ttlMs };
    var before = (await locks.AcquireAsync(acquire)).Holder;
    Say("acquire it while another has it", $"{before.LockOwner} has it");
    var events = EventsOfHold();
    long own = 0;
    try
    {
        await Hold.Lock(locks, RequestFor(resource), async (token, lost) =>
        {
            own = token;
            Say("its token is higher than the one before", ToText(token > before.FencingToken));
            Say("write with its token", await Write(token, "first"));
            await Task.Delay(ttlMs * 3 / 2);
            Say("it is held for longer than one lease", ToText(!lost.IsCancellationRequested));
            await WaitFor("Redis is gone");
            await Task.Delay(Timeout.Infinite, lost).ContinueWith(_ => { });
            Say("it is told that the lock is lost", "true");
        });
    }
    catch (InvalidOperationException error)
    {
        Say("its hold ends with an error", $"error: {error.Message}");
    }
    Say("events of a hold", await events);
    await WaitFor("the second holds the lock");
    var now = (await locks.GetAsync(new GetRequest { StoreName = store, ResourceId = resource })).Lock;
    Say("the second has the lock, with a higher token", ToText(now.FencingToken > own));
    Say("write with the old token", await Write(own, "first again"));
}

// Reads a hold to its end.
async Task<string> EventsOfHold()
{
    var names = new List<string>();
    using var call = locks.Hold(RequestFor("watched"));
    await foreach (var next in call.ResponseStream.ReadAllAsync())
    {
        var name = next.EventCase switch
        {
            HoldEvent.EventOneofCase.AtRisk => "at_risk",
            HoldEvent.EventOneofCase.Lost => "lost:" + ReasonOf(next.Lost),
            var other => other.ToString().ToLowerInvariant(),
        };
        if (names.LastOrDefault() != name) names.Add(name);
    }
    return string.Join(' ', names);
}

// The name as in the proto file: C# writes StoreUnreachable.
static string ReasonOf(HoldEvent.Types.Lost lost) => lost.Reason switch
{
    HoldEvent.Types.Lost.Types.Reason.StoreUnreachable => "STORE_UNREACHABLE",
    var other => other.ToString(),
};

static HoldRequest RequestFor(string name) =>
    new() { StoreName = store, ResourceId = name, TtlMs = ttlMs, WaitMs = 60_000 };

// Sends the token along: the store refuses one that is lower than one it has seen.
async Task<string> Write(long token, string what)
{
    using var request = new HttpRequestMessage(HttpMethod.Put, Environment.GetEnvironmentVariable("STORE_URL"));
    request.Headers.Add("fencing-token", token.ToString());
    request.Content = new StringContent(what);
    using var response = await http.SendAsync(request);
    return (int)response.StatusCode switch { 204 => "written", 409 => "refused", var other => other.ToString() };
}

static string ToText(bool value) => value ? "true" : "false";

static void Say(string step, string answer) => Console.WriteLine($"{step}\t{answer.ReplaceLineEndings(" ")}");

static async Task WaitFor(string what)
{
    Say("waiting", what);
    await Console.In.ReadLineAsync();
}
