using EgpuFleet.TestKit.Fleet.Chaos;

namespace EgpuFleet.TestKit.Fleet.Recovery;

/// <summary>Seconds until work went on, one for each fault of a kind.</summary>
/// <param name="Name">Such as <c>worker_killed</c>.</param>
/// <param name="GoalSeconds">What 95 of 100 stay within.</param>
public sealed record RecoveryFigure(string Name, double GoalSeconds, IReadOnlyList<double> Seconds);

/// <summary>Each kind of fault so many times, one after the other, on a fleet that is otherwise well.</summary>
public sealed class RecoveryRun(int runs, TimeProvider time, Action<string> say)
{
    private const double FrozenGoalSeconds = 12;
    private static readonly TimeSpan FaultTimeout = TimeSpan.FromMinutes(1);

    /// <param name="only">Names of the kinds to measure; none: all.</param>
    public async Task<IReadOnlyList<RecoveryFigure>> RunAsync(
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
        var figures = new List<RecoveryFigure>();
        foreach (var kind in kinds.Where(kind => only.Count == 0 || only.Contains(kind.Name)))
        {
            say($"{kind.Name}, {runs} times");
            figures.Add(new RecoveryFigure(kind.Name, kind.Goal, await RepeatAsync(kind.Once, cancellationToken)));
        }
        rig.KeepsFolder = false;
        return figures;
    }

    private async Task<List<double>> RepeatAsync(
        Func<CancellationToken, Task<double>> once,
        CancellationToken cancellationToken
    )
    {
        var seconds = new List<double>();
        for (var i = 0; i < runs; i++)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(FaultTimeout);
            seconds.Add(await once(limit.Token));
        }
        seconds.Sort();
        return seconds;
    }
}
