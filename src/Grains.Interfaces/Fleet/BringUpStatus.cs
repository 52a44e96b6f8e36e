namespace EgpuFleet.Grains.Interfaces.Fleet;

/// <summary>What a device does before it can compute, and how far it is.</summary>
/// <param name="Phase">In words: <c>opening the device</c>, <c>loading tiny-fleet</c>.</param>
/// <param name="ElapsedSeconds">Since the phase began.</param>
/// <param name="DoneBytes">Of it so far; 0 where it is not counted.</param>
/// <param name="TotalBytes">Of it in all; 0 where it is not counted.</param>
/// <param name="LeftSeconds">About how long it still takes; null where nothing tells.</param>
[GenerateSerializer, Immutable, Alias("fleet.BringUpStatus")]
public sealed record BringUpStatus(
    [property: Id(0)] string Phase,
    [property: Id(1)] double ElapsedSeconds,
    [property: Id(2)] long DoneBytes,
    [property: Id(3)] long TotalBytes,
    [property: Id(4)] double? LeftSeconds
);
