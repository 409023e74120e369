// A user's program on Dapr's .NET SDK: the scenario is the first argument. It is compiled once for each package, with
// ClientLocks.cs or PackageLocks.cs. Each step is printed as "step<TAB>answer".

ILocks locks = Sdk.CreateLocks();

switch (args[0])
{
    case "lock":
        Say("lock a free resource", await Shown(() => locks.Lock("report", "alice", 60)));
        Say("lock it again as its owner", await Shown(() => locks.Lock("report", "alice", 60)));
        Say("lock it as another owner", await Shown(() => locks.Lock("report", "bob", 60)));
        Say("unlock it as another owner", await locks.Unlock("report", "bob"));
        Say("unlock it", await locks.Unlock("report", "alice"));
        Say("unlock it again", await locks.Unlock("report", "alice"));
        Say("lock it for 1 s", await Shown(() => locks.Lock("report", "alice", 1)));
        Say("lock it as another owner before that", await Shown(() => locks.Lock("report", "bob", 60)));
        Say("lock it as another owner after that", await Until("true", () => Shown(() => locks.Lock("report", "bob", 60))));
        await locks.Unlock("report", "bob");
        break;

    case "scope":
        await using (await locks.Hold("scoped", "alice", 60))
        {
            Say("inside the block another owner is refused", await Shown(() => locks.Lock("scoped", "bob", 60)));
        }
        Say("after the block another owner gets it", await Shown(() => locks.Lock("scoped", "bob", 60)));
        break;

    case "snippet":
        Say("work while the lock is free", await WorkOf(() => Task.CompletedTask));
        Say("lock as another owner after it", await Shown(() => locks.Lock("my_file_name", "bob", 60)));
        Say("work while that owner holds it", await WorkOf(() => Task.CompletedTask));
        Say("unlock as that owner", await locks.Unlock("my_file_name", "bob"));
        Say("work that fails", await WorkOf(() => throw new IOException("no space left")));
        Say("lock as another owner after that", await Shown(() => locks.Lock("my_file_name", "bob", 60)));
        Say("unlock as that owner again", await locks.Unlock("my_file_name", "bob"));
        Say("work that is longer than its lease", await WorkOf(() =>
        {
            WaitFor("lease over");
            return Task.CompletedTask;
        }));
        break;

    case "errors":
        Say("an unknown store", await Shown(() => locks.Lock("r", "o", 60, "nope")));
        Say("an empty resource", await Shown(() => locks.Lock("", "o", 60)));
        Say("an empty owner", await Shown(() => locks.Lock("r", "", 60)));
        Say("expiry 0", await Shown(() => locks.Lock("r", "o", 0)));
        Say("two pipes in the resource", await Shown(() => locks.Lock("a||b", "o", 60)));
        break;

    case "contend":
        WaitFor("ready");
        var refused = 0;
        for (; !await locks.Lock("my_file_name", args[2], 60); refused++)
        {
            await Task.Delay(50);
        }
        File.AppendAllText(args[1], $"begin {Environment.ProcessId}\n");
        await Task.Delay(1000);
        File.AppendAllText(args[1], $"end {Environment.ProcessId}\n");
        Say("unlock after the work", await locks.Unlock("my_file_name", args[2]));
        Say("refused before it", refused.ToString());
        break;

    case "token":
        Say("lock with a token", await Shown(() => locks.Lock("guarded", Guid.NewGuid().ToString(), 1)));
        break;

    case "restart":
        Say("lock before the stop", await Shown(() => locks.Lock("kept", "alice", 60)));
        WaitFor("stop");
        Say("call while it is stopped", await ShownText(() => locks.Unlock("kept", "alice")));
        WaitFor("start");
        Say("unlock after the start", await Until("success", () => ShownText(() => locks.Unlock("kept", "alice"))));
        break;

    case "sidecar":
        await Sdk.AskSidecar(Say);
        break;
}

Task<string> WorkOf(Func<Task> work) =>
    ShownText(async () => await locks.WriteReport(work) ? "done" : "not done");

static void Say(string step, string answer) => Console.WriteLine($"{step}\t{answer.ReplaceLineEndings(" ")}");

static void WaitFor(string what)
{
    Say("waiting", what);
    Console.ReadLine();
}

static Task<string> Shown(Func<Task<bool>> call) =>
    ShownText(async () => (await call()).ToString().ToLowerInvariant());

// What an answer or an error looks like to the user, with the error that it wraps.
static async Task<string> ShownText(Func<Task<string>> call)
{
    try
    {
        return await call();
    }
    catch (Exception error)
    {
        return $"error: {error.GetType().Name} {error.Message} {error.InnerException?.Message}";
    }
}

static async Task<string> Until(string wanted, Func<Task<string>> call)
{
    var answer = "";
    for (var end = DateTime.UtcNow.AddSeconds(30); DateTime.UtcNow < end; await Task.Delay(50))
    {
        answer = await call();
        if (answer == wanted) break;
    }
    return answer;
}

interface ILocks
{
    Task<bool> Lock(string resource, string owner, int seconds, string store = "lockstore");
    Task<string> Unlock(string resource, string owner);
    Task<IAsyncDisposable> Hold(string resource, string owner, int seconds);
    Task<bool> WriteReport(Func<Task> work);
}

static class Statuses
{
    public static string ToText(string status) => status switch
    {
        "Success" => "success",
        "LockDoesNotExist" => "does not exist",
        "LockBelongsToOthers" => "belongs to others",
        _ => status,
    };
}
