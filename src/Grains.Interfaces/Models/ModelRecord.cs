namespace EgpuFleet.Grains.Interfaces.Models;

/// <summary>A registered model by name and content. Weights are always found by hash, never by a path from a request.</summary>
/// <param name="Sha256">Lower-case hex SHA-256 of the GGUF file.</param>
/// <param name="SizeBytes">Size of the file.</param>
/// <param name="Base">Of an adapter: the model it is served with, which is no adapter itself. Null for a model of its own.</param>
[GenerateSerializer, Immutable, Alias("fleet.ModelRef")]
public sealed record ModelRef(
    [property: Id(0)] string Name,
    [property: Id(1)] string Sha256,
    [property: Id(2)] long SizeBytes,
    [property: Id(3)] ModelRef? Base = null
)
{
    /// <summary>The engine that serves adapters, as devices name it.</summary>
    public const string AdapterEngine = "llama.cpp";
}

/// <summary>
/// What the registry knows of a model, read from its GGUF metadata at registration. Of an adapter: what it is together with
/// its base.
/// </summary>
/// <param name="KvBytesPerToken">Key-value memory of one token of one sequence, in 32-bit floats.</param>
/// <param name="BlockCount">Transformer blocks; 0 of a model registered before they were counted.</param>
/// <param name="Words">Of a model with a chat template; null of one that was registered before they were read.</param>
/// <param name="BaseWeightBytes">Of an adapter: those of <paramref name="WeightBytes"/> that its base has, in memory once for all.</param>
[GenerateSerializer, Immutable, Alias("fleet.ModelRecord")]
public sealed record ModelRecord(
    [property: Id(0)] ModelRef Ref,
    [property: Id(1)] string Architecture,
    [property: Id(2)] string Quantization,
    [property: Id(3)] long ParameterCount,
    [property: Id(4)] int ContextLength,
    [property: Id(5)] long WeightBytes,
    [property: Id(6)] long KvBytesPerToken,
    [property: Id(7)] bool HasChatTemplate,
    [property: Id(8)] DateTimeOffset CreatedAt,
    [property: Id(9)] int BlockCount = 0,
    [property: Id(10)] long BaseWeightBytes = 0,
    [property: Id(11)] ChatWords? Words = null
);

/// <summary>What a model writes in a chat beside its answer, as far as its template tells.</summary>
/// <param name="Tools">Name of the way in which it calls tools.</param>
/// <param name="Think">What begins its thinking; null: it does not think aloud.</param>
/// <param name="BeginsThinking">Its template begins the thinking.</param>
/// <param name="BeginsThinkingOff">It does so even where the model is not to think.</param>
[GenerateSerializer, Immutable, Alias("fleet.ChatWords")]
public sealed record ChatWords(
    [property: Id(0)] string Tools,
    [property: Id(1)] string? Think,
    [property: Id(2)] bool BeginsThinking,
    [property: Id(3)] bool BeginsThinkingOff
);

/// <summary>The registry of models, low-rate and persistent. Key: <c>default</c>.</summary>
[Alias("fleet.IModelRegistry")]
public interface IModelRegistryGrain : IGrainWithStringKey
{
    public const string Key = "default";

    /// <summary>Registers or replaces a name. Adding the same content under the same name again changes nothing.</summary>
    [Alias("Add")]
    Task Add(ModelRecord model);

    /// <summary>The model of that name, or null.</summary>
    [Alias("Find")]
    Task<ModelRecord?> Find(string name);

    /// <summary>The model of that content hash, or null; also one whose name means another content by now.</summary>
    [Alias("FindContent")]
    Task<ModelRecord?> FindContent(string sha256);

    /// <summary>All models, by name.</summary>
    [Alias("List")]
    Task<IReadOnlyList<ModelRecord>> List();
}
