using Npgsql;

namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>Does what a plan says to a rig, and undoes what it did.</summary>
public sealed class FaultInjector(FleetRig rig, TimeProvider time, Action<string> say) : IDisposable
{
    private readonly SemaphoreSlim postgresTurn = new(1);
    private readonly List<FaultDone> done = [];

    /// <summary>What was done, in order.</summary>
    public IReadOnlyList<FaultDone> Done
    {
        get
        {
            lock (done)
                return [.. done];
        }
    }

    /// <summary>Runs a plan to its end; a fault's outage may reach into the next ones.</summary>
    public async Task RunAsync(IReadOnlyList<Fault> plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var start = time.GetTimestamp();
        var outages = new List<Task>();
        foreach (var fault in plan)
        {
            var wait = fault.At - time.GetElapsedTime(start);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, time, cancellationToken);
            outages.Add(DoAsync(fault, cancellationToken));
        }
        await Task.WhenAll(outages);
    }

    /// <summary>Everything is thawed, up and reachable again.</summary>
    public async Task HealAsync(CancellationToken cancellationToken)
    {
        foreach (var process in rig.Processes)
        {
            process.Thaw();
            process.Revive();
        }
        foreach (var silo in rig.Silos)
            await FleetRig.UntilReadyAsync(silo, cancellationToken);
    }

    public void Dispose() => postgresTurn.Dispose();

    private async Task DoAsync(Fault fault, CancellationToken cancellationToken)
    {
        switch (fault.Kind)
        {
            case FaultKind.LeaderKilled:
                await KillAsync(fault, (await LeaderAsync(fault, cancellationToken)).Process, null, cancellationToken);
                break;
            case FaultKind.SiloKilled:
                await KillAsync(fault, rig.Silos[fault.Target % rig.Silos.Count].Process, null, cancellationToken);
                break;
            case FaultKind.LeaderFrozen:
                await FreezeAsync(
                    fault,
                    (await LeaderAsync(fault, cancellationToken)).Process,
                    null,
                    cancellationToken
                );
                break;
            case FaultKind.AgentKilled:
                var killed = Agent(fault);
                await KillAsync(fault, killed, killed.Name, cancellationToken);
                break;
            case FaultKind.AgentFrozen:
                var frozen = Agent(fault);
                await FreezeAsync(fault, frozen, frozen.Name, cancellationToken);
                break;
            case FaultKind.WorkerKilled:
                await KillWorkerAsync(fault, Agent(fault));
                break;
            case FaultKind.PostgresCrashed:
                await CrashPostgresAsync(fault, cancellationToken);
                break;
            case FaultKind.ConnectionsCut:
                await CutConnectionsAsync(fault, cancellationToken);
                break;
        }
    }

    private RigProcess Agent(Fault fault) => rig.Agents[fault.Target % rig.Agents.Count];

    private async Task<RigSilo> LeaderAsync(Fault fault, CancellationToken cancellationToken)
    {
        try
        {
            if (await rig.LeaderAsync(cancellationToken) is { } leader)
                return leader;
        }
        catch (NpgsqlException)
        {
            // The database is down: nobody can say who leads.
        }
        return rig.Silos[fault.Target % rig.Silos.Count];
    }

    private async Task KillAsync(Fault fault, RigProcess process, string? node, CancellationToken cancellationToken)
    {
        Note(fault, process.Name, node);
        await process.KillAsync(comesBack: fault.Outage == TimeSpan.Zero);
        if (fault.Outage == TimeSpan.Zero)
            return;
        await Task.Delay(fault.Outage, time, cancellationToken);
        process.Revive();
    }

    private async Task FreezeAsync(Fault fault, RigProcess process, string? node, CancellationToken cancellationToken)
    {
        Note(fault, process.Name, node);
        process.Freeze();
        await Task.Delay(fault.Outage, time, cancellationToken);
        process.Thaw();
    }

    private async Task KillWorkerAsync(Fault fault, RigProcess agent)
    {
        var workers = await Leftovers.WorkersOfAsync(rig.Folder, agent);
        if (workers.Count == 0)
            return;
        Note(fault, $"a worker of {agent.Name}", agent.Name);
        Signals.Send(workers[fault.Target % workers.Count], Signals.Kill);
    }

    private async Task CrashPostgresAsync(Fault fault, CancellationToken cancellationToken)
    {
        await postgresTurn.WaitAsync(cancellationToken);
        try
        {
            Note(fault, "postgres", null);
            await rig.Postgres.CrashAsync(cancellationToken);
            await Task.Delay(fault.Outage, time, cancellationToken);
            await rig.Postgres.RestartAsync(cancellationToken);
        }
        finally
        {
            postgresTurn.Release();
        }
    }

    private async Task CutConnectionsAsync(Fault fault, CancellationToken cancellationToken)
    {
        await postgresTurn.WaitAsync(cancellationToken);
        try
        {
            await rig.Postgres.CutConnectionsAsync(cancellationToken);
            Note(fault, "connections", null);
        }
        catch (NpgsqlException e)
        {
            // A crash has cut them already.
            say($"{fault.At.TotalSeconds, 7:0.0} s  {fault.Kind} not done: {e.Message}");
        }
        finally
        {
            postgresTurn.Release();
        }
    }

    private void Note(Fault fault, string target, string? node)
    {
        lock (done)
            done.Add(new FaultDone(fault.Kind, time.GetUtcNow(), node));
        say($"{fault.At.TotalSeconds, 7:0.0} s  {fault.Kind} {target}, {fault.Outage.TotalSeconds:0.0} s");
    }
}
