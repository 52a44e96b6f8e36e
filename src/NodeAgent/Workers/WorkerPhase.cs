using System.Collections.Immutable;
using EgpuFleet.Kernels.Drivers.Doctor;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>Where a device's worker stands for its supervisor.</summary>
public enum WorkerPhase
{
    /// <summary>No process yet: adopt one that is left, or spawn one.</summary>
    Starting,

    /// <summary>Connected; the device is being probed and self-tested.</summary>
    Testing,

    /// <summary>Takes work.</summary>
    Ready,

    /// <summary>Died; a new one is started at <see cref="WorkerLife.RestartAt"/>.</summary>
    Waiting,

    /// <summary>Died too often: waits for a person, or for a long while.</summary>
    Quarantined,

    /// <summary>Has no worker, and gets none before the hold is taken away.</summary>
    Held,

    /// <summary>The agent is shutting down.</summary>
    Stopped,

    /// <summary>The device cannot be used: there is no worker, and none is tried.</summary>
    Unusable,
}

/// <summary>What a worker died of.</summary>
/// <param name="Since">When a worker first died of it, without one that worked in between.</param>
/// <param name="IsHang">Whether it stood still instead of failing.</param>
public sealed record WorkerTrouble(WorkerDeath Death, DateTimeOffset Since, bool IsHang = false);

/// <summary>The life of a device's worker so far; immutable.</summary>
/// <param name="Deaths">Times of the deaths within the window, oldest first, on the supervisor's monotonic clock.</param>
/// <param name="Reason">Why the last one died; null when nothing is wrong.</param>
/// <param name="RestartAt">When a waiting or quarantined worker is started again; <see cref="TimeSpan.MaxValue"/>: not before a person helps.</param>
public sealed record WorkerLife(WorkerPhase Phase, ImmutableArray<TimeSpan> Deaths, string? Reason, TimeSpan RestartAt)
{
    /// <summary>What keeps it from working; null when nothing is wrong.</summary>
    public WorkerTrouble? Trouble { get; init; }

    /// <summary>Why the device is kept without a worker; null in every other phase.</summary>
    public WorkerHold? Hold { get; init; }

    /// <summary>What a held device goes back to that cannot be used anyway; null for every other one.</summary>
    public WorkerLife? Unusable { get; init; }

    /// <summary>When the device last hung, however well it worked since; null: it never did.</summary>
    public TimeSpan? LastHang { get; init; }

    public static readonly WorkerLife New = new(WorkerPhase.Starting, [], null, TimeSpan.Zero);

    /// <summary>Of a device that cannot be used.</summary>
    /// <param name="reason">What to fix.</param>
    public static WorkerLife OfUnusable(string reason) => New with { Phase = WorkerPhase.Unusable, Reason = reason };
}
