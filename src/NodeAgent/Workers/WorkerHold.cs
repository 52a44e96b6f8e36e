namespace EgpuFleet.NodeAgent.Workers;

/// <summary>Why a device is kept without a worker; where several apply, the first of this list rules.</summary>
public enum HoldKind
{
    /// <summary>The drivers do not find it any more: unplugged, switched off, or its link is dead.</summary>
    Absent,

    /// <summary>The machine crashed twice in a row while it was in use.</summary>
    Guarded,

    /// <summary>Its owner wants to unplug it.</summary>
    Ejected,

    /// <summary>A pulled cable is being played.</summary>
    Rehearsal,
}

/// <summary>A device is kept without a worker until this is taken away.</summary>
/// <param name="Reason">One sentence for people.</param>
/// <param name="Fix">What a person does about it; null where nothing is wrong.</param>
public sealed record WorkerHold(HoldKind Kind, string Reason, string? Fix = null);
