using System.Text.Json.Nodes;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>One client of the workload: submits jobs of all sorts one after the other, and changes its mind about some.</summary>
/// <param name="number">Tells its keys and payloads from those of the others.</param>
public sealed class Client(
    int number,
    int seed,
    Submitter submitter,
    IReadOnlyList<RigClient> gateways,
    Recorder recorder,
    TimeProvider time
)
{
    private const int LongestMilliseconds = 1500;
    private const int MostItems = 6;
    private const int MostLines = 6;
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(300);

    private readonly Random random = new(HashCode.Combine(seed, number));
    private readonly List<string> mine = [];
    private int sent;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await NextAsync(cancellationToken);
            await Task.Delay(random.NextDouble() * LongestPause, time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task NextAsync(CancellationToken cancellationToken)
    {
        var chance = random.Next(100);
        if (chance < 10 && mine.Count > 0)
            await CancelAsync(mine[random.Next(mine.Count)]);
        else if (chance < 20 && mine.Count > 0)
            await SubmitDependentAsync(mine[^1], cancellationToken);
        else if (chance < 28)
            await SubmitHeldAsync(cancellationToken);
        else if (chance < 34 && mine.Count > 0)
            await PauseAsync(mine[^1]);
        else if (chance < 40)
            await SubmitManyAsync(cancellationToken);
        else
            await SubmitAsync(_ => { }, cancellationToken);
    }

    private async Task<string?> SubmitAsync(Action<JsonObject> change, CancellationToken cancellationToken)
    {
        var name = NextName();
        var (job, payloads) = Make(name);
        change(job);
        var id = await submitter.SubmitAsync(job, payloads, name, cancellationToken);
        if (id is not null)
            mine.Add(id);
        return id;
    }

    private string NextName() => $"chaos-{number}-{sent++}";

    private (JsonObject Job, IReadOnlyList<string> Payloads) Make(string name)
    {
        var duration = random.Next(3) == 0 ? random.Next(LongestMilliseconds) : 0;
        var payloads = Enumerable.Range(0, 1 + random.Next(MostItems)).Select(item => $"{name}/{item}").ToList();
        return (
            payloads.Count == 1 ? NoopJobs.One(payloads[0], duration) : NoopJobs.Many(payloads, duration),
            payloads
        );
    }

    private async Task SubmitManyAsync(CancellationToken cancellationToken)
    {
        var name = NextName();
        var lines = Enumerable.Range(0, 2 + random.Next(MostLines)).Select(line => Make($"{name}-{line}")).ToList();
        mine.AddRange(await submitter.SubmitBulkAsync(lines, name, cancellationToken));
    }

    private async Task PauseAsync(string job)
    {
        foreach (var verb in (string[])["pause", "resume"])
            recorder.Answered(verb, (await Gateway().ChangeAsync(job, verb, CancellationToken.None)).Status);
    }

    private Task<string?> SubmitDependentAsync(string on, CancellationToken cancellationToken) =>
        SubmitAsync(
            job =>
                job["depends_on"] = new JsonArray(
                    new JsonObject { ["job"] = on, ["condition"] = random.Next(2) == 0 ? "after_ok" : "after_any" }
                ),
            cancellationToken
        );

    private async Task SubmitHeldAsync(CancellationToken cancellationToken)
    {
        var id = await SubmitAsync(job => job["hold"] = true, cancellationToken);
        if (id is null || random.Next(4) == 0)
            return;
        var answer = await Gateway().ChangeAsync(id, "release", CancellationToken.None);
        recorder.Answered("release", answer.Status);
    }

    private async Task CancelAsync(string job)
    {
        var answer = await Gateway().ChangeAsync(job, "cancel", CancellationToken.None);
        recorder.Answered("cancel", answer.Status);
        var phase = answer.Outcome == CallOutcome.Acknowledged ? Phases.Of(answer.Text("state")) : (JobPhase?)null;
        recorder.Cancelled(new CancelCall(job, phase, answer.Outcome));
    }

    private RigClient Gateway() => gateways[random.Next(gateways.Count)];
}
