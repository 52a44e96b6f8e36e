using EgpuFleet.Silo.Postgres;
using Npgsql;
using Orleans.Runtime;

namespace EgpuFleet.Silo.Membership;

/// <summary>
/// Takes the leader lease from a silo that the cluster has declared dead, so that the next leader need not wait until it
/// runs out. A silo that is in truth only slow is fenced by its epoch, as after any takeover.
/// </summary>
public sealed partial class DeadLeaders(
    IClusterMembershipService membership,
    ControlTables tables,
    ILogger<DeadLeaders> logger
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        HashSet<SiloAddress> known = [];
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stoppingToken))
        {
            var dead = snapshot
                .Members.Values.Where(member => member.Status == SiloStatus.Dead)
                .Select(member => member.SiloAddress)
                .ToHashSet();
            if (!dead.IsSubsetOf(known))
                await EndTermsAsync(dead, stoppingToken);
            known = dead;
        }
    }

    private async Task EndTermsAsync(HashSet<SiloAddress> dead, CancellationToken cancellationToken)
    {
        try
        {
            var ended = await tables.EndTermsAsync(
                [.. dead.Select(silo => silo.ToParsableString())],
                cancellationToken
            );
            if (ended > 0)
                LogEnded(logger, ended);
        }
        catch (NpgsqlException e)
        {
            // The lease runs out by itself.
            LogNotEnded(logger, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The leader of {Pools} pool(s) is dead; its term is over")]
    private static partial void LogEnded(ILogger logger, int pools);

    [LoggerMessage(Level = LogLevel.Information, Message = "A dead leader's lease runs out by itself: {Reason}")]
    private static partial void LogNotEnded(ILogger logger, string reason);
}
