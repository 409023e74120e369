using Dapr.Client;

static class ReportOfDaprClient
{
    public static async Task Write(Action work)
    {
        using var client = new DaprClientBuilder().Build();
        var owner = Guid.NewGuid().ToString(); // a name of its own for each lock that is taken
        await using var fileLock = await client.Lock("lockstore", "my_file_name", owner, 60);
        if (fileLock.Success) // else somebody else has it: that is an answer, not an error
        {
            work();
        }
    }
}
