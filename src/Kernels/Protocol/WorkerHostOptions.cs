namespace EgpuFleet.Kernels.Protocol;

/// <param name="SocketPath">Absolute path of the unix socket to listen on.</param>
/// <param name="Credential">What every hello must carry.</param>
/// <param name="KeepFor">How long models are kept while no agent is connected; then the host ends.</param>
/// <param name="NoopFaults">Whether noops may ask for faults: only in tests and rehearsals.</param>
public sealed record WorkerHostOptions(string SocketPath, string Credential, TimeSpan KeepFor, bool NoopFaults = false);
