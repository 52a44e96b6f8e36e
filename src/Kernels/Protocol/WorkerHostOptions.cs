namespace EgpuFleet.Kernels.Protocol;

/// <param name="SocketPath">Absolute path of the unix socket to listen on.</param>
/// <param name="Credential">What every hello must carry.</param>
/// <param name="KeepFor">How long models are kept while no agent is connected; then the host ends.</param>
public sealed record WorkerHostOptions(string SocketPath, string Credential, TimeSpan KeepFor);
