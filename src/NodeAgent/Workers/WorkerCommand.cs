namespace EgpuFleet.NodeAgent.Workers;

/// <summary>What a device's worker is started as. A worker that is left is adopted only if it was started so.</summary>
/// <param name="Executable">Absolute path of the worker.</param>
/// <param name="Settings">What it is told by its environment, by variable.</param>
internal sealed record WorkerCommand(string Executable, IReadOnlyDictionary<string, string> Settings);
