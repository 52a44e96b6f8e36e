using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>Reads the rig's ledger at the end of a run in the checkers' words.</summary>
internal static class FinalState
{
    /// <summary>What a CPU device offers to no-ops, as the design has it.</summary>
    private const int NoopSlots = 64;

    public static async Task<(FinalLedger Ledger, IReadOnlyList<RigEvent> Events)> ReadAsync(
        FleetRig rig,
        CancellationToken cancellationToken
    )
    {
        var events = await rig.Ledger.EventsAsync(cancellationToken);
        var devices = events.Select(entry => entry.Device).OfType<string>().Distinct(StringComparer.Ordinal);
        var ledger = new FinalLedger(
            await rig.Ledger.JobsAsync(cancellationToken),
            await rig.Ledger.ResultsAsync(cancellationToken),
            [.. events.Select(ToWrite).OfType<AcceptedWrite>()],
            devices.ToDictionary(device => device, _ => NoopSlots, StringComparer.Ordinal)
        );
        return (ledger, events);
    }

    private static AcceptedWrite? ToWrite(RigEvent entry) =>
        KindOf(entry.Kind) is { } kind
            ? new AcceptedWrite(
                kind,
                RigLedger.NameOf(entry.Job),
                entry.Shard,
                entry.Epoch,
                kind == WriteKind.ShardStarted ? entry.Device : null
            )
            : null;

    // The numbers of JobEventKind, which are stored and never change. Null: tells nothing that is checked.
    private static WriteKind? KindOf(int kind) =>
        kind switch
        {
            0 => WriteKind.Submitted,
            2 => WriteKind.ShardStarted,
            3 => WriteKind.ShardFinished,
            4 => WriteKind.ShardRequeued,
            5 => WriteKind.ShardFailed,
            6 => WriteKind.Succeeded,
            7 => WriteKind.Failed,
            8 => WriteKind.Cancelled,
            11 => WriteKind.JobPaused,
            _ => null,
        };
}
