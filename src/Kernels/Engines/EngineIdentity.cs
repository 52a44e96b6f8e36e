namespace EgpuFleet.Kernels.Engines;

/// <summary>What an engine can do at all, whatever the device.</summary>
[Flags]
public enum EngineCapabilities
{
    None = 0,
    Generate = 1,

    /// <summary>Searches faster kernels, and takes those found elsewhere.</summary>
    Tune = 2,

    /// <summary>Trains; see <see cref="Training.ITrainingSession"/>.</summary>
    Train = 4,

    /// <summary>Serves adapters with a base model.</summary>
    Adapters = 8,

    /// <summary>Holds a text to a grammar.</summary>
    Grammars = 16,

    /// <summary>Penalises repetition, and adds biases to logits.</summary>
    LogitRules = 32,

    /// <summary>Makes vectors of texts.</summary>
    Embeddings = 64,
}

/// <param name="Name">As written in jobs and logs: <c>llama.cpp</c>.</param>
/// <param name="Version">Version of the engine's natives.</param>
/// <param name="Capabilities">What it can do.</param>
public sealed record EngineIdentity(string Name, string Version, EngineCapabilities Capabilities);

/// <summary>What an opened engine sees of its device.</summary>
/// <param name="Device">The engine's own name of the device, such as <c>CPU</c>.</param>
/// <param name="Description">Model of the device.</param>
/// <param name="ProcessorCount">Hardware threads this process may use.</param>
/// <param name="TotalMemoryBytes">Memory of the device.</param>
/// <param name="AvailableMemoryBytes">Of it, what a new model could take now.</param>
/// <param name="TuningClass">Devices of one class share tuned kernels; null: the engine tunes none.</param>
public sealed record EngineProbe(
    string Device,
    string Description,
    int ProcessorCount,
    long TotalMemoryBytes,
    long AvailableMemoryBytes,
    string? TuningClass = null
);

/// <summary>Result of a numeric self-test; <see cref="Passed"/> only if every value was right and none of them zero.</summary>
/// <param name="Passed">Whether the device computes.</param>
/// <param name="Checks">How many values were compared.</param>
/// <param name="LargestRelativeError">Over all values.</param>
/// <param name="Text">What was computed, or what was wrong.</param>
public sealed record SelfTestReport(bool Passed, int Checks, double LargestRelativeError, string Text);
