using System.Text.Json;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>Looks at jobs one after the other, at any gateway, and at the results of those that succeeded.</summary>
public sealed class Reader(
    Submitter submitter,
    IReadOnlyList<RigClient> gateways,
    Recorder recorder,
    int seed,
    TimeProvider time
)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Random random = new(seed);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var jobs = submitter.Jobs.Keys.ToList();
            if (jobs.Count > 0)
                await LookAsync(jobs[random.Next(jobs.Count)]);
        }
    }

    private async Task LookAsync(string job)
    {
        var gateway = gateways[random.Next(gateways.Count)];
        var answer = await gateway.GetAsync($"/api/v1/jobs/{job}", CancellationToken.None);
        recorder.Answered("get", answer.Status);
        if (answer.Outcome != CallOutcome.Acknowledged)
            return;
        var phase = Phases.Of(answer.Text("state"));
        var items = answer.Body.GetProperty("items");
        var settled = items.GetProperty("completed").GetInt32() + items.GetProperty("failed").GetInt32();
        recorder.Saw(new JobSighting(job, phase, settled));
        if (phase != JobPhase.Succeeded)
            return;
        var lines = await gateway.LinesAsync($"/api/v1/jobs/{job}/results", CancellationToken.None);
        foreach (var line in lines ?? [])
            recorder.Saw(new ResultSighting(job, line.GetProperty("index").GetInt32(), DigestOf(line)));
    }

    private static string DigestOf(JsonElement line) =>
        line.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : line.GetProperty("error").GetProperty("code").GetString()!;
}
