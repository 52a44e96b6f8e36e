using System.Text.Json.Serialization;

namespace EgpuFleet.Kernels.Engines;

/// <summary>Which model to load, and how.</summary>
/// <param name="Path">Absolute path of the GGUF on this machine. It comes from the model registry, never from a request.</param>
/// <param name="ContentHash">
/// SHA-256 of the file, lower-case hexadecimal; requests name the model by it. With an adapter: that of the adapter's file.
/// </param>
/// <param name="Threads">Processor threads the model may use; never exceeded.</param>
/// <param name="ContextTokens">Positions each slot gets; null or more than the model was trained for: what it was trained for.</param>
/// <param name="Slots">Sequences decoded at once.</param>
/// <param name="Exact">
/// The exact profile (F32 weights and KV, no flash attention, the same numbers alone and batched). Null: on for F32 models
/// on a CPU. True for another model is refused as <see cref="EngineErrorClass.InvalidRequest"/>.
/// </param>
/// <param name="Adapter">Served with the model of <paramref name="Path"/>; null: the model as it is.</param>
public sealed record LoadSpec(
    string Path,
    string ContentHash,
    int Threads,
    int? ContextTokens = null,
    int Slots = 8,
    bool? Exact = null,
    AdapterFile? Adapter = null
)
{
    /// <summary>SHA-256 of the file of <see cref="Path"/>.</summary>
    [JsonIgnore]
    public string BaseHash => Adapter?.BaseHash ?? ContentHash;
}

/// <summary>An adapter to serve with a base model. Several adapters and the base itself share its weights in memory.</summary>
/// <param name="Path">Absolute path of the adapter's GGUF on this machine.</param>
/// <param name="BaseHash">SHA-256 of the base's file, lower-case hexadecimal; the adapter must name the same.</param>
public sealed record AdapterFile(string Path, string BaseHash);

/// <summary>What was loaded.</summary>
/// <param name="ContentHash">As in the <see cref="LoadSpec"/>.</param>
/// <param name="Architecture">GGUF <c>general.architecture</c>.</param>
/// <param name="Description">The engine's own line about it: size class and quantisation.</param>
/// <param name="ParameterCount">Weights.</param>
/// <param name="LayerCount">Blocks.</param>
/// <param name="VocabularySize">Tokens.</param>
/// <param name="TrainedContextTokens">Positions it was trained for.</param>
/// <param name="ContextTokens">Positions each slot has: prompt plus completion of one request.</param>
/// <param name="Slots">Sequences decoded at once.</param>
/// <param name="Threads">Processor threads it may use.</param>
/// <param name="WeightBytes">Memory of the weights, those shared with other adapters of the base included.</param>
/// <param name="KvBytes">Memory of the KV cache of all slots.</param>
/// <param name="MemoryBytes">Weights and KV cache; compute buffers come on top.</param>
/// <param name="Exact">Whether the exact profile is on.</param>
/// <param name="HasChatTemplate">Whether chat messages can be rendered.</param>
public sealed record ModelInfo(
    string ContentHash,
    string Architecture,
    string Description,
    long ParameterCount,
    int LayerCount,
    int VocabularySize,
    int TrainedContextTokens,
    int ContextTokens,
    int Slots,
    int Threads,
    long WeightBytes,
    long KvBytes,
    long MemoryBytes,
    bool Exact,
    bool HasChatTemplate
);

/// <summary>Counters of one loaded model since it was loaded.</summary>
public sealed record ModelStats(
    string ContentHash,
    int BusySlots,
    int WaitingRequests,
    long PromptTokens,
    long CompletionTokens,
    long DecodeCalls
);
