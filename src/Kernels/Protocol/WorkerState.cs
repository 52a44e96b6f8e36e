namespace EgpuFleet.Kernels.Protocol;

/// <summary>
/// Where a worker stands: spawned → opening → ready, then loading, warming and busy while such work runs, failed when the
/// engine could not be opened (the process then answers hello, stats and shutdown only).
/// </summary>
public enum WorkerState
{
    Spawned,
    Opening,
    Loading,
    Warming,
    Ready,
    Busy,
    Failed,
}
