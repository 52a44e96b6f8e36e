using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Silo.Hosting;
using Npgsql;

namespace EgpuFleet.Silo.Gateway.Health;

/// <summary>Whether the fleet can take work: the database answers, the scheduler answers, each expected agent has a ready device.</summary>
public sealed class Readiness(Fleet fleet, NpgsqlDataSource database, SiloSettings settings)
{
    public async Task<ReadyInfo> CheckAsync(CancellationToken cancellationToken)
    {
        var storage = await TryAsync("database", AskDatabaseAsync, cancellationToken);
        IReadOnlyList<NodeView> nodes = [];
        var silo = await TryAsync(
            "silo",
            async token => nodes = await fleet.Pool.GetFleet().WaitAsync(token),
            cancellationToken
        );
        var agents = settings.ExpectedAgents.Select(agent => Check(agent, nodes));
        ReadyCheck[] checks = [storage, silo, .. agents];
        return new ReadyInfo(checks.All(check => check.Ok) ? "ok" : "unavailable", checks);
    }

    private static ReadyCheck Check(NodeId agent, IReadOnlyList<NodeView> nodes)
    {
        var name = $"agent {agent}";
        if (nodes.FirstOrDefault(node => node.Node == agent) is not { State: NodeState.Ready } heard)
            return new ReadyCheck(name, false, "not heard");
        // One that its owner took out is as its owner wants it.
        if (heard.Devices.Any(device => device.State is DeviceState.Ready or DeviceState.Ejected))
            return new ReadyCheck(name, true, null);
        var states = heard.Devices.Select(device =>
            $"{device.Facts.Device}: {device.Reason ?? device.State.ToString()}"
        );
        return new ReadyCheck(name, false, $"no ready device ({string.Join("; ", states)})");
    }

    private async Task AskDatabaseAsync(CancellationToken cancellationToken)
    {
        await using var ask = database.CreateCommand("select 1");
        await ask.ExecuteScalarAsync(cancellationToken);
    }

    private static async Task<ReadyCheck> TryAsync(
        string name,
        Func<CancellationToken, Task> check,
        CancellationToken cancellationToken
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limits.ReadyCheckTimeout);
        try
        {
            await check(limit.Token);
            return new ReadyCheck(name, true, null);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever went wrong, the answer is the same: not ready, and why.
            return new ReadyCheck(name, false, e is OperationCanceledException ? "no answer in time" : e.Message);
        }
    }
}
