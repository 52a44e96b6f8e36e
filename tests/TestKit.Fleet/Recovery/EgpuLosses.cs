using EgpuFleet.TestKit.Fleet.Egpu;

namespace EgpuFleet.TestKit.Fleet.Recovery;

/// <summary>
/// Takes a stand-in for an external GPU (<see cref="FakeEgpu"/>) away in the middle of a batch, and measures until the lease
/// of the shard that it was computing is revoked, by the database's clock: from then on the work may run elsewhere.
/// </summary>
public sealed class EgpuLosses(TimeProvider time, Action<string> say)
{
    public const string CablePulled = "cable_pulled";
    public const string GpuHung = "gpu_hung";

    private const double CableGoalSeconds = 1;

    private const int StepSeconds = 2;

    /// <summary>The longest step, a look at it every quarter of one, and what a cable takes.</summary>
    private const double HangGoalSeconds = (1.25 * StepSeconds) + CableGoalSeconds;

    private const int Prompts = 400;
    private static readonly TimeSpan RoundTimeout = TimeSpan.FromMinutes(4);

    /// <param name="kinds">Of the two.</param>
    public async Task<IReadOnlyList<RecoveryFigure>> RunAsync(
        IReadOnlyCollection<string> kinds,
        int runs,
        CancellationToken cancellationToken
    )
    {
        await using var rig = await EgpuRig.StartAsync(cancellationToken, stepSeconds: StepSeconds);
        var seconds = kinds.ToDictionary(kind => kind, _ => new List<double>());
        for (var round = 1; round <= runs; round++)
        {
            foreach (var kind in kinds)
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                limit.CancelAfter(RoundTimeout);
                seconds[kind].Add(await LoseOnceAsync(rig, kind, limit.Token));
            }
        }
        return
        [
            .. kinds.Select(kind => new RecoveryFigure(
                kind,
                kind == CablePulled ? CableGoalSeconds : HangGoalSeconds,
                [.. seconds[kind].Order()]
            )),
        ];
    }

    private async Task<double> LoseOnceAsync(EgpuRig rig, string kind, CancellationToken cancellationToken)
    {
        await rig.UntilAsync(device => device.State == "ready", cancellationToken);
        var job = await rig.SubmitAsync(Prompts, cancellationToken);
        await rig.UntilComputingAsync(job.Id, cancellationToken);
        var lostAt = time.GetUtcNow();
        if (kind == CablePulled)
            await rig.Egpu.PullAsync();
        else
            rig.Egpu.Hang();
        var revoked = await rig.UntilRevokedAsync(job.Id, cancellationToken);
        var again = await rig.UntilRunningAgainAsync(job.Id, revoked, cancellationToken);
        var seconds = (revoked.At - lostAt).TotalSeconds;
        say(
            $"  {kind}: revoked after {seconds:0.000} s, leased to {again.Device} after {(again.At - lostAt).TotalSeconds:0.000} s"
        );
        await rig.Client.CancelJobAsync(job.Id, cancellationToken);
        await PlugAgainAsync(rig, kind, cancellationToken);
        return seconds;
    }

    private static async Task PlugAgainAsync(EgpuRig rig, string kind, CancellationToken cancellationToken)
    {
        // The far end of a link that hung does not answer a new worker either.
        await rig.Egpu.PullAsync();
        await rig.Egpu.PlugAsync(cancellationToken);
        // A device that hung twice is, rightly, left alone: the next round is about a device that did not.
        if (kind == GpuHung)
            await rig.Rig.AgentOf(EgpuRig.Linked).KillAsync(comesBack: true);
        await rig.UntilAsync(device => device.State != "ready", cancellationToken);
    }
}
