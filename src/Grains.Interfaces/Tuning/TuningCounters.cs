namespace EgpuFleet.Grains.Interfaces.Tuning;

/// <summary>What a device's worker has made of tuned kernels since its start.</summary>
/// <param name="TunedKernels">Compiled with what was found somewhere; once for each captured step that runs them.</param>
/// <param name="Misses">Compiled without, since nothing is known of them.</param>
/// <param name="Rejected">Entries that did not fit their kernel.</param>
/// <param name="KernelsSearched">By this worker itself.</param>
[GenerateSerializer, Immutable, Alias("fleet.TuningCounters")]
public sealed record TuningCounters(
    [property: Id(0)] long TunedKernels,
    [property: Id(1)] long Misses,
    [property: Id(2)] long Rejected,
    [property: Id(3)] long KernelsSearched
);
