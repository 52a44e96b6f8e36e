using System.Text.Json.Nodes;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.TestKit.Fleet.Recovery;

/// <summary>
/// Kills the silo that leads with -9, and measures until a job submitted after that is leased to a device, by the
/// database's clock. The silo is started again before the next kill.
/// </summary>
public sealed class LeaderKills(FleetRig rig, Func<JsonObject> job, TimeProvider time, Action<string> say)
{
    private const int ShardStarted = 2;
    private static readonly TimeSpan RetryEvery = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(1);

    public async Task<double> KillOnceAsync(CancellationToken cancellationToken)
    {
        foreach (var silo in rig.Silos)
            await FleetRig.UntilReadyAsync(silo, cancellationToken);
        var leader = await LeaderAsync(cancellationToken);
        var survivors = rig
            .Silos.Where(silo => silo != leader)
            .Select(silo => new RigClient(silo.Url, CallTimeout))
            .ToList();
        try
        {
            var killedAt = time.GetUtcNow();
            await leader.Process.KillAsync(comesBack: false);
            var id = await SubmitAsync(survivors, killedAt, cancellationToken);
            var startedAt = await StartedAsync(id, cancellationToken);
            var seconds = (startedAt - killedAt).TotalSeconds;
            say($"  leader {leader.Name} killed: dispatched after {seconds:0.000} s");
            return seconds;
        }
        finally
        {
            leader.Process.Revive();
            survivors.ForEach(client => client.Dispose());
        }
    }

    private async Task<RigSilo> LeaderAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await rig.LeaderAsync(cancellationToken) is { } leader)
                return leader;
            await Task.Delay(RetryEvery, time, cancellationToken);
        }
    }

    private async Task<Guid> SubmitAsync(
        List<RigClient> survivors,
        DateTimeOffset killedAt,
        CancellationToken cancellationToken
    )
    {
        var key = Guid.NewGuid().ToString();
        for (var attempt = 0; ; attempt++)
        {
            var answer = await survivors[attempt % survivors.Count].SubmitAsync(job(), key, cancellationToken);
            if (answer.Outcome == CallOutcome.Acknowledged)
            {
                say(
                    $"    acknowledged after {(time.GetUtcNow() - killedAt).TotalSeconds:0.000} s, {attempt + 1} attempts"
                );
                return RigLedger.IdOf(answer.Text("id")!);
            }
            if (answer.Outcome == CallOutcome.Refused)
                throw new InvalidOperationException($"The submit was refused: {answer.Body}");
            await Task.Delay(RetryEvery, time, cancellationToken);
        }
    }

    private async Task<DateTimeOffset> StartedAsync(Guid id, CancellationToken cancellationToken)
    {
        while (true)
        {
            var events = await rig.Ledger.EventsAsync(id, cancellationToken);
            if (events.FirstOrDefault(entry => entry.Kind == ShardStarted) is { } started)
                return started.At;
            await Task.Delay(RetryEvery, time, cancellationToken);
        }
    }
}
