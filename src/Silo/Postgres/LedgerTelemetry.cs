using System.Diagnostics;
using System.Diagnostics.Metrics;
using EgpuFleet.Silo.Postgres.Writing;

namespace EgpuFleet.Silo.Postgres;

/// <summary>Traces and metrics of the ledger. Register both by <see cref="Name"/>; Npgsql traces its own commands.</summary>
public static class LedgerTelemetry
{
    public const string Name = "EgpuFleet.Ledger";

    internal static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    internal static readonly Histogram<int> TurnOperations = Meter.CreateHistogram<int>(
        "egpufleet_ledger_turn_operations",
        unit: "{operation}",
        description: "Operations made durable by one transaction of the group commit."
    );

    /// <summary>One transaction serves several callers: it belongs to none of their traces, and links to each.</summary>
    internal static Activity? StartTurn(LedgerTurn turn) =>
        Source.StartActivity(
            ActivityKind.Internal,
            parentContext: default,
            links: turn.Submissions.Where(s => s.Caller != default)
                .Take(Limits.LedgerTraceLinks)
                .Select(s => new ActivityLink(s.Caller)),
            name: "ledger turn"
        );
}
