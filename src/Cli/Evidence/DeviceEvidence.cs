using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Evidence;

/// <summary>That a device opens, computes, and takes a model.</summary>
internal static class DeviceEvidence
{
    public static async Task<EvidenceFinding> OpenAsync(EvidenceSession session, CancellationToken cancellationToken)
    {
        var started = session.Clock.GetTimestamp();
        var worker = await session.OpenAsync(cancellationToken);
        var probe = worker.Probe;
        var memory = probe.TotalMemoryBytes > 0 ? Format.Bytes(probe.TotalMemoryBytes) : "memory that it does not tell";
        return EvidenceFinding.Of(
            passed: true,
            $"{probe.Description}, {memory}, {session.Subject.Engine} {session.EngineVersion}",
            ("open_seconds", session.Clock.GetElapsedTime(started).TotalSeconds),
            ("total_memory_bytes", probe.TotalMemoryBytes),
            ("available_memory_bytes", probe.AvailableMemoryBytes)
        );
    }

    public static async Task<EvidenceFinding> SelfTestAsync(
        EvidenceSession session,
        CancellationToken cancellationToken
    )
    {
        var worker = await session.OpenAsync(cancellationToken);
        var report = await worker.Client.SelfTestAsync(cancellationToken);
        return EvidenceFinding.Of(
            report is { Passed: true, Checks: > 0 },
            report.Text,
            ("values", report.Checks),
            ("largest_relative_error", report.LargestRelativeError)
        );
    }

    public static async Task<EvidenceFinding> LoadAsync(EvidenceSession session, CancellationToken cancellationToken)
    {
        var worker = await session.OpenAsync(cancellationToken);
        var started = session.Clock.GetTimestamp();
        var info = await worker.Client.LoadAsync(session.Model.Spec, cancellationToken);
        var loaded = session.Clock.GetElapsedTime(started);
        await worker.Client.WarmUpAsync(session.Model.Sha256, cancellationToken);
        return EvidenceFinding.Of(
            passed: true,
            $"{session.Model.Name}: {info.Description}, {info.LayerCount} layers",
            ("load_seconds", loaded.TotalSeconds),
            ("warm_up_seconds", (session.Clock.GetElapsedTime(started) - loaded).TotalSeconds),
            ("weight_bytes", info.WeightBytes),
            ("kv_bytes", info.KvBytes)
        );
    }
}
