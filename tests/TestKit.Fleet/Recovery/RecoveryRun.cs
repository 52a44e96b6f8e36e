using EgpuFleet.TestKit.Fleet.Chaos;
using EgpuFleet.TestKit.Fleet.Egpu;

namespace EgpuFleet.TestKit.Fleet.Recovery;

/// <summary>Seconds until work went on, one for each fault of a kind.</summary>
/// <param name="Name">Such as <c>worker_killed</c>.</param>
/// <param name="GoalSeconds">What 95 of 100 stay within.</param>
public sealed record RecoveryFigure(string Name, double GoalSeconds, IReadOnlyList<double> Seconds);

/// <summary>Rounds of one fault of each kind, one after the other, on a fleet that is otherwise well.</summary>
public sealed class RecoveryRun(int runs, TimeProvider time, Action<string> say)
{
    private const double FrozenGoalSeconds = 12;

    /// <summary>One fault, with the quarantine of a device that it may have to wait for first.</summary>
    private static readonly TimeSpan FaultTimeout = TimeSpan.FromMinutes(4);

    /// <param name="only">Names of the kinds to measure; none: all, those of a GPU where there is tinygrad.</param>
    public async Task<IReadOnlyList<RecoveryFigure>> RunAsync(
        IReadOnlyCollection<string> only,
        CancellationToken cancellationToken
    )
    {
        string[] ofGpu = [EgpuLosses.CablePulled, EgpuLosses.GpuHung];
        var wanted = only.Count == 0 ? ofGpu : [.. ofGpu.Where(only.Contains)];
        if (wanted.Length > 0 && FakeEgpu.Missing is { } missing)
        {
            if (only.Count > 0)
                throw new InvalidOperationException(missing);
            say($"Not measured, {string.Join(" and ", ofGpu)}: {missing}");
            wanted = [];
        }
        var figures = new List<RecoveryFigure>();
        if (only.Count == 0 || only.Except(ofGpu).Any())
            figures.AddRange(await RunProcessesAsync(only, cancellationToken));
        if (wanted.Length > 0)
            figures.AddRange(await new EgpuLosses(time, say).RunAsync(wanted, runs, cancellationToken));
        return figures;
    }

    private async Task<IReadOnlyList<RecoveryFigure>> RunProcessesAsync(
        IReadOnlyCollection<string> only,
        CancellationToken cancellationToken
    )
    {
        await using var rig = await FleetRig.StartAsync(new RigOptions { Silos = 3, Agents = 2 }, cancellationToken);
        // Until all went well: what was logged says why it did not.
        rig.KeepsFolder = true;
        var work = new WorkLosses(rig, time, say);
        var leader = new LeaderKills(rig, () => NoopJobs.One("dispatch again", 0), time, say);
        (string Name, double Goal, Func<CancellationToken, Task<double>> Once)[] kinds =
        [
            ("worker_killed", 2, token => work.LoseOnceAsync(WorkLoss.WorkerKilled, token)),
            ("agent_killed", 5, token => work.LoseOnceAsync(WorkLoss.AgentKilled, token)),
            ("agent_frozen", FrozenGoalSeconds, token => work.LoseOnceAsync(WorkLoss.AgentFrozen, token)),
            ("leader_killed", 3, leader.KillOnceAsync),
        ];
        var wanted = kinds.Where(kind => only.Count == 0 || only.Contains(kind.Name)).ToArray();
        var seconds = wanted.ToDictionary(kind => kind.Name, _ => new List<double>());
        // In turn: a worker that dies again and again within a minute is, rightly, not started again for two.
        for (var round = 1; round <= runs; round++)
        {
            say($"round {round} of {runs}");
            foreach (var kind in wanted)
                seconds[kind.Name].Add(await OnceAsync(kind.Once, cancellationToken));
        }
        rig.KeepsFolder = false;
        return [.. wanted.Select(kind => new RecoveryFigure(kind.Name, kind.Goal, [.. seconds[kind.Name].Order()]))];
    }

    private static async Task<double> OnceAsync(
        Func<CancellationToken, Task<double>> once,
        CancellationToken cancellationToken
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(FaultTimeout);
        return await once(limit.Token);
    }
}
