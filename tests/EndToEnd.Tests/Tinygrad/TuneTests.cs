using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.EndToEnd.Tests.Tinygrad;

/// <summary>What a tune on one agent finds, another agent's worker uses, which has searched nothing.</summary>
public sealed class TuneTests
{
    private const int SearchSeconds = 5;

    /// <summary>Few enough that the last bits of sums, which tuning changes, decide about none of them.</summary>
    private const int Tokens = 12;

    private static readonly Dictionary<string, string> Tinygrad = new()
    {
        ["EGPUFLEET_CPU_ENGINE"] = "tinygrad",
        ["EGPUFLEET_MEASURE"] = "off",
    };

    [Fact]
    public async Task What_one_agent_found_the_other_one_uses_and_says_the_same()
    {
        NeedsTinygrad.Require();
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var fleet = await FleetUnderTest.StartAsync(cancellationToken, environment: Tinygrad);
        // Its weights are F16: a model of F32 is exact on a processor, and not tuned.
        await fleet.AddModelAsync(
            SharedFleet.SampleModel,
            TestKit.RepositoryPaths.At("samples", "models", "tiny-fleet.gguf"),
            cancellationToken
        );

        var text = new JobRequest(
            "batch",
            SharedFleet.SampleModel,
            new GenerationOptions(Tokens, Temperature: 0),
            Items: [new BatchLine(Prompt: "Once upon a time")]
        );
        var before = await RunAsync(fleet, text, cancellationToken);
        var tuned = await RunAsync(
            fleet,
            new JobRequest("tune", SharedFleet.SampleModel, Tune: new TuneOptions(SearchSeconds)),
            cancellationToken
        );
        var summary = JsonSerializer.Deserialize<TuneSummary>(tuned.Text!, ApiJson.Options)!;
        Assert.True(summary.KernelsFaster > 0, tuned.Text);
        Assert.All(summary.Kernels, one => Assert.True(one.SecondsAfter < one.SecondsBefore));
        var known = Assert.Single((await fleet.Client.ListTuningsAsync(cancellationToken)).Data);
        Assert.Equal((summary.DeviceClass, summary.KernelsFaster), (known.DeviceClass, known.Kernels));

        await fleet.Client.OrderDeviceAsync(tuned.Device, "eject", cancellationToken);
        var after = await RunAsync(fleet, text, cancellationToken);
        Assert.NotEqual(tuned.Device, after.Device);
        Assert.Equal(before.Text, after.Text);
        Assert.NotEqual("", after.Text);
        var other = await DeviceAsync(fleet, after.Device, cancellationToken);
        Assert.True(other.Tuning is { TunedKernels: > 0, Rejected: 0, KernelsSearched: 0 }, $"{other.Tuning}");
    }

    private static async Task<DeviceInfo> DeviceAsync(
        FleetUnderTest fleet,
        string id,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var devices = await fleet.Client.ListDevicesAsync(cancellationToken);
            // The gateway knows it from the next heartbeat on.
            if (devices.Data.Single(device => device.Id == id) is { Tuning: not null } device)
                return device;
        }
    }

    private static async Task<ResultLine> RunAsync(
        FleetUnderTest fleet,
        JobRequest request,
        CancellationToken cancellationToken
    )
    {
        var job = await fleet.Client.SubmitAsync(request, null, cancellationToken);
        job = await fleet.WaitForJobAsync(job.Id, cancellationToken);
        Assert.Equal("succeeded", job.State);
        return Assert.Single(await fleet.ReadResultsAsync(job.Id, cancellationToken));
    }
}
