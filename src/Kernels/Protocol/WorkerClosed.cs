namespace EgpuFleet.Kernels.Protocol;

/// <summary>Why a connection to a worker ended.</summary>
/// <param name="Expected">True after a shutdown or disposal from this side.</param>
/// <param name="Reason">For people.</param>
public sealed record WorkerClosed(bool Expected, string Reason);
