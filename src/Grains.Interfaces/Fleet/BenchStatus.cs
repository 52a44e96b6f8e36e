namespace EgpuFleet.Grains.Interfaces.Fleet;

/// <summary>How far a measurement is that an owner asked for.</summary>
public enum BenchState
{
    Running = 0,

    /// <summary>Everything was measured that the device has the room and the time for.</summary>
    Done = 1,

    /// <summary>Work came, or the worker went: what was measured of whole kinds of weights is kept.</summary>
    Interrupted = 2,
}

/// <summary>A device's last measurement at its owner's wish; its agent forgets it when it ends.</summary>
/// <param name="StartedAt">By the clock of the node; tells one measurement from the next.</param>
/// <param name="Now">What is being measured, in words; at the end, why it was not all. Null: nothing to say.</param>
/// <param name="Total">Shapes in all, those included that turn out to be too large.</param>
/// <param name="Samples">What was measured, in that order.</param>
/// <param name="Skipped">What was not measured, with the reason, one sentence each.</param>
[GenerateSerializer, Immutable, Alias("fleet.BenchStatus")]
public sealed record BenchStatus(
    [property: Id(0)] BenchState State,
    [property: Id(1)] DateTimeOffset StartedAt,
    [property: Id(2)] string? Now,
    [property: Id(3)] int Total,
    [property: Id(4)] BenchSample[] Samples,
    [property: Id(5)] string[] Skipped
);

/// <summary>One stack of transformer blocks, timed. Speeds are tokens a second.</summary>
/// <param name="Hidden">Width of the hidden state.</param>
/// <param name="Prefill">Of a prompt of 256 tokens, from the request to its first token.</param>
/// <param name="Decode">Of one sequence.</param>
/// <param name="DecodeOfEight">Of eight sequences together.</param>
[GenerateSerializer, Immutable, Alias("fleet.BenchSample")]
public sealed record BenchSample(
    [property: Id(0)] WeightKind Kind,
    [property: Id(1)] int Hidden,
    [property: Id(2)] int Blocks,
    [property: Id(3)] double Prefill,
    [property: Id(4)] double Decode,
    [property: Id(5)] double DecodeOfEight
);
