using EgpuFleet.Api;

namespace EgpuFleet.EndToEnd.Tests.Tinygrad;

/// <summary>One agent under llama.cpp, one under tinygrad, one batch.</summary>
public sealed class MixedFleetTests(ITestOutputHelper output)
{
    private const int Tokens = 100;

    /// <summary>Long enough that the last shards of both, a few items each, weigh little.</summary>
    private const double JobSeconds = 12;

    private static readonly string[] Prompts = ["", "Once upon a time", "Lily", "The dog", "One day, Tim"];

    [Fact]
    public async Task Both_engines_share_one_batch_by_measured_speed_and_answer_alike()
    {
        NeedsTinygrad.Require();
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var fleet = await FleetUnderTest.StartAsync(
            cancellationToken,
            // Speeds by live work alone: measuring while idle would take turns with the job.
            environment: new Dictionary<string, string> { ["EGPUFLEET_MEASURE"] = "off" },
            prepare: UseTinygradOnTheSecond
        );
        await fleet.AddModelAsync(SharedFleet.ReferenceModel, SharedFleet.ReferenceModelPath, cancellationToken);
        var devices = (await fleet.Client.ListDevicesAsync(cancellationToken)).Data;
        Assert.Equal(["llama.cpp", "tinygrad"], devices.OrderBy(device => device.Id).Select(device => device.Engine));

        // Loads, compiles and measures.
        while (devices.Any(device => device.TokensPerSecond == 0))
        {
            await RunAsync(fleet, items: 120, cancellationToken);
            devices = (await fleet.Client.ListDevicesAsync(cancellationToken)).Data;
        }
        var rate = devices.Sum(device => device.TokensPerSecond);

        var (results, events) = await RunAsync(fleet, (int)(JobSeconds * rate / Tokens), cancellationToken);

        foreach (var device in devices)
            output.WriteLine($"{device.Id}: {device.Engine} at {device.TokensPerSecond:0} tokens/s before the job");
        var shares = DeviceShare.Of(results, events);
        foreach (var share in shares)
            output.WriteLine(share.ToString());
        Assert.Equal(["local-1/cpu0", "local-2/cpu0"], shares.Select(share => share.Device));
        Assert.All(shares, share => Assert.InRange(share.Error, 0, 0.1));
        AssertAlike(results);
    }

    /// <summary>What one prompt got at one device it got at every other: the model is F32, so the profile is exact.</summary>
    private static void AssertAlike(List<ResultLine> results)
    {
        foreach (var answers in results.GroupBy(result => result.Index % Prompts.Length))
        {
            Assert.Equal(2, answers.Select(answer => answer.Device).Distinct().Count());
            Assert.Single(answers.Select(answer => answer.Text).Distinct());
            Assert.NotEqual("", answers.First().Text);
        }
    }

    private static async Task<(List<ResultLine> Results, List<JobEventInfo> Events)> RunAsync(
        FleetUnderTest fleet,
        int items,
        CancellationToken cancellationToken
    )
    {
        var lines = Enumerable.Range(0, items).Select(i => new BatchLine($"item-{i}", Prompts[i % Prompts.Length]));
        var request = new JobRequest(
            "batch",
            SharedFleet.ReferenceModel,
            new GenerationOptions(Tokens, Temperature: 0),
            Items: [.. lines]
        );
        var events = new List<JobEventInfo>();
        var job = await fleet.Client.SubmitAsync(request, null, cancellationToken);
        job = await fleet.WaitForJobAsync(job.Id, cancellationToken, update => Collect(update, events));
        Assert.Equal("succeeded", job.State);
        var results = await fleet.ReadResultsAsync(job.Id, cancellationToken);
        Assert.Equal(items, results.Count);
        return (results, events);
    }

    private static void Collect(JobUpdate update, List<JobEventInfo> events)
    {
        if (update.Event is { } entry)
            events.Add(entry);
    }

    private static void UseTinygradOnTheSecond(string data)
    {
        var folder = Directory.CreateDirectory(
            Path.Combine(data, "agents", "local-2"),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        );
        File.WriteAllText(Path.Combine(folder.FullName, "appsettings.json"), """{ "cpu_engine": "tinygrad" }""");
    }
}
