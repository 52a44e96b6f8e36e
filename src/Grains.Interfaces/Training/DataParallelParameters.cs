namespace EgpuFleet.Grains.Interfaces.Training;

/// <summary>A run that devices share: each trains for a while alone, then all go on from the mean of their changes.</summary>
/// <param name="Devices">Wished; it runs on as many as there are.</param>
/// <param name="Steps">Of a member between two rounds, about: whole microshards are trained.</param>
/// <param name="RoundSeconds">After which a round does not wait for the slower half any more.</param>
/// <param name="OuterRate">Of the outer optimizer; 1 without momentum is the mean.</param>
/// <param name="Encoding">How changes travel.</param>
[GenerateSerializer, Immutable, Alias("fleet.DataParallelParameters")]
public sealed record DataParallelParameters(
    [property: Id(0)] int Devices,
    [property: Id(1)] int Steps,
    [property: Id(2)] double RoundSeconds,
    [property: Id(3)] double OuterRate,
    [property: Id(4)] double OuterMomentum,
    [property: Id(5)] DeltaEncoding Encoding
);
