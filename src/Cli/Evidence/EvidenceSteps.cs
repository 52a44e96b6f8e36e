using EgpuFleet.Kernels.Drivers;

namespace EgpuFleet.Cli.Evidence;

/// <summary>One thing that every subject is made to show.</summary>
/// <param name="Id">Stable, in snake_case; <c>--without</c> takes it.</param>
/// <param name="Doing">What it does, for the line of progress.</param>
/// <param name="Limit">Longest that it may take; what takes longer hangs.</param>
/// <param name="Needs">The step without which it cannot be done; null: none.</param>
internal sealed record EvidenceStep(
    string Id,
    string Doing,
    TimeSpan Limit,
    string? Needs,
    Func<EvidenceSession, CancellationToken, Task<EvidenceFinding>> RunAsync
);

/// <summary>The steps in order: each rests on those before it, and what takes longest comes last.</summary>
internal static class EvidenceSteps
{
    public const string Discovery = "discovery";
    public const string Open = "open";
    public const string SelfTest = "self_test";
    public const string Load = "load";
    public const string Tokens = "tokens";
    public const string Cancel = "cancel";
    public const string OutOfMemory = "out_of_memory";
    public const string WorkerKilled = "worker_killed";
    public const string Reopen = "reopen";
    public const string Speed = "speed";

    /// <summary>An external GPU's first opening fetches firmware and boots the card.</summary>
    private static readonly TimeSpan OpenLimit = TimeSpan.FromMinutes(4);

    /// <summary>Each with room for a GPU's first compilations, which take up to a minute.</summary>
    private static readonly TimeSpan ComputeLimit = TimeSpan.FromMinutes(2);

    public static IReadOnlyList<EvidenceStep> All { get; } =
    [
        new(Discovery, "looking at what its driver tells", TimeSpan.FromSeconds(5), null, DiscoverAsync),
        new(Open, "opening it in a worker", OpenLimit, Discovery, DeviceEvidence.OpenAsync),
        new(SelfTest, "computing numbers that are known", ComputeLimit, Open, DeviceEvidence.SelfTestAsync),
        new(Load, "loading a model", ComputeLimit, Open, DeviceEvidence.LoadAsync),
        new(Tokens, "comparing tokens with the processor's", ComputeLimit, Load, TokenEvidence.CompareAsync),
        new(Cancel, "cancelling a generation", TimeSpan.FromSeconds(30), Load, LifetimeEvidence.CancelAsync),
        new(
            OutOfMemory,
            "asking for more memory than it has",
            TimeSpan.FromSeconds(30),
            Open,
            LifetimeEvidence.RefuseAsync
        ),
        new(WorkerKilled, "killing its worker and starting another", ComputeLimit, Load, LifetimeEvidence.KillAsync),
        new(
            Reopen,
            "killing what holds it and opening it again",
            ComputeLimit,
            WorkerKilled,
            LifetimeEvidence.ReopenAsync
        ),
        new(Speed, "measuring its speed", TimeSpan.FromMinutes(3), Open, SpeedEvidence.MeasureAsync),
    ];

    private static Task<EvidenceFinding> DiscoverAsync(EvidenceSession session, CancellationToken cancellationToken)
    {
        var device = session.Subject.Device;
        var gpu = device.Gpu;
        var what = gpu?.ToString() ?? device.Model;
        var where = device.Enclosure is { } enclosure ? $", in {enclosure}" : "";
        return Task.FromResult(
            EvidenceFinding.Of(
                device.State == DeviceState.Usable,
                device.State == DeviceState.Usable ? $"{what}{where}" : $"{what}{where}: {device.Reason}",
                ("total_memory_bytes", device.TotalMemoryBytes),
                ("link_width", gpu?.LinkWidth ?? double.NaN),
                ("link_gigatransfers", gpu?.LinkGigatransfers ?? double.NaN),
                ("core_count", device.CoreCount)
            )
        );
    }
}
