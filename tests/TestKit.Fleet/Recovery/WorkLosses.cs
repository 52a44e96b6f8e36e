using EgpuFleet.TestKit.Fleet.Chaos;

namespace EgpuFleet.TestKit.Fleet.Recovery;

/// <summary>How work is taken away from under a job.</summary>
public enum WorkLoss
{
    /// <summary>SIGKILL of the worker process; its agent sees it end.</summary>
    WorkerKilled = 0,

    /// <summary>SIGKILL of the agent, which stays away; the cluster notices.</summary>
    AgentKilled = 1,

    /// <summary>SIGSTOP of the agent: connections stay open, nothing moves.</summary>
    AgentFrozen = 2,
}

/// <summary>
/// Takes the work away in mid-job, and measures until the job runs again: from the fault to its end, less what a no-op of
/// this length takes, so the report of the result is counted in.
/// </summary>
public sealed class WorkLosses(FleetRig rig, TimeProvider time, Action<string> say)
{
    private const int ShardStarted = 2;
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan IntoTheJob = TimeSpan.FromMilliseconds(700);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(30);

    public async Task<double> LoseOnceAsync(WorkLoss loss, CancellationToken cancellationToken)
    {
        foreach (var silo in rig.Silos)
            await FleetRig.UntilReadyAsync(silo, cancellationToken);
        using var client = new RigClient(rig.Silos[0].Url, CallTimeout);
        var name = Guid.NewGuid().ToString("N");
        var answer = await client.SubmitAsync(
            NoopJobs.One(name, (int)Length.TotalMilliseconds),
            name,
            cancellationToken
        );
        var id = RigLedger.IdOf(
            answer.Text("id") ?? throw new InvalidOperationException($"The submit was answered {answer.Status}.")
        );
        var first = await EventAsync(id, entry => entry.Kind == ShardStarted, cancellationToken);
        await Task.Delay(IntoTheJob, time, cancellationToken);
        var agent = rig.AgentOf(first.Device!);
        var lostAt = time.GetUtcNow();
        await TakeAwayAsync(loss, agent);
        try
        {
            var again = await EventAsync(id, entry => entry.Kind == ShardStarted && entry.Epoch > 1, cancellationToken);
            var end = await EventAsync(id, entry => entry.Kind is 6 or 7, cancellationToken);
            var seconds = (end.At - lostAt - Length).TotalSeconds;
            say(
                $"  {loss} on {first.Device}: leased to {again.Device} after {(again.At - lostAt).TotalSeconds:0.000} s, running after {seconds:0.000} s"
            );
            return seconds;
        }
        finally
        {
            await BringBackAsync(loss, agent, cancellationToken);
        }
    }

    /// <summary>An agent that was away for long finds itself declared dead and starts again; the next fault waits for that.</summary>
    private async Task BringBackAsync(WorkLoss loss, RigProcess agent, CancellationToken cancellationToken)
    {
        var starts = agent.Starts;
        agent.Thaw();
        agent.Revive();
        while (loss != WorkLoss.WorkerKilled && agent.Starts == starts)
            await Task.Delay(PollEvery, time, cancellationToken);
    }

    private async Task TakeAwayAsync(WorkLoss loss, RigProcess agent)
    {
        switch (loss)
        {
            case WorkLoss.WorkerKilled:
                foreach (var worker in await Leftovers.WorkersOfAsync(rig.Folder, agent))
                    Signals.Send(worker, Signals.Kill);
                break;
            case WorkLoss.AgentKilled:
                await agent.KillAsync(comesBack: false);
                break;
            case WorkLoss.AgentFrozen:
                agent.Freeze();
                break;
        }
    }

    private async Task<RigEvent> EventAsync(Guid job, Func<RigEvent, bool> isIt, CancellationToken cancellationToken)
    {
        while (true)
        {
            var events = await rig.Ledger.EventsAsync(job, cancellationToken);
            if (events.FirstOrDefault(isIt) is { } found)
                return found;
            await Task.Delay(PollEvery, time, cancellationToken);
        }
    }
}
