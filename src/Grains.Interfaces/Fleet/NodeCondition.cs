namespace EgpuFleet.Grains.Interfaces.Fleet;

/// <summary>How one check of a node came out.</summary>
public enum ConditionState
{
    Ok = 0,

    /// <summary>It keeps a device from working; the fix says what to do.</summary>
    Failed = 1,

    /// <summary>Not looked at, because nothing on the node needs it.</summary>
    Skipped = 2,

    /// <summary>Looked at, and what was seen does not tell.</summary>
    Unknown = 3,
}

/// <summary>One thing that a node knows about its health: a check of its doctor, or what a device's worker died of.</summary>
/// <param name="Id">Stable, in snake_case: the check's or the failure's.</param>
/// <param name="Seen">What was seen; one line.</param>
/// <param name="Cause">Why it failed; only where it did.</param>
/// <param name="Fix">An exact command or the way through System Settings; wherever there is something to do.</param>
/// <param name="Device">Name of the node's device that it is about; null: the node.</param>
/// <param name="Since">When it came to be so, by the node's clock.</param>
[GenerateSerializer, Immutable, Alias("fleet.NodeCondition")]
public sealed record NodeCondition(
    [property: Id(0)] string Id,
    [property: Id(1)] ConditionState State,
    [property: Id(2)] string Seen,
    [property: Id(3)] string? Cause,
    [property: Id(4)] string? Fix,
    [property: Id(5)] string? Device,
    [property: Id(6)] DateTimeOffset Since
)
{
    /// <summary>Whether it says the same, whenever that began.</summary>
    public bool IsSame(NodeCondition? other) => other is not null && this == other with { Since = Since };
}

/// <summary>Every check of a node, just made.</summary>
/// <param name="Platform"><c>macos</c> or <c>linux</c>.</param>
/// <param name="Conditions">In order of cause; those in order too.</param>
[GenerateSerializer, Immutable, Alias("fleet.NodeExamination")]
public sealed record NodeExamination(
    [property: Id(0)] string Platform,
    [property: Id(1)] IReadOnlyList<NodeCondition> Conditions,
    [property: Id(2)] DateTimeOffset ExaminedAt
);
