namespace EgpuFleet.NodeAgent.Devices;

/// <summary>What drives a device.</summary>
/// <param name="Engine">Name of the engine, as jobs and its worker write it.</param>
/// <param name="Settings">What the worker is told by its environment.</param>
/// <param name="Refusal">Why it gets no worker; null: it gets one.</param>
internal sealed record EngineChoice(
    string Engine,
    IReadOnlyDictionary<string, string> Settings,
    string? Refusal = null
);
