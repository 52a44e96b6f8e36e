using System.Text.Json;
using System.Text.Json.Serialization;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Tinygrad.Child;

/// <summary>Header of a frame to the child.</summary>
internal sealed record ChildRequest(long Id, string Verb, JsonElement? Params = null);

/// <summary>Header of a frame from the child: exactly one of the last four is there.</summary>
internal sealed record ChildResponse(
    long Id,
    JsonElement? Result = null,
    ChildToken? Token = null,
    WorkerError? Error = null,
    TuneProgress? Progress = null
);

/// <param name="Index">From 0.</param>
/// <param name="Id">In the model's vocabulary.</param>
/// <param name="LogProbs">Where they were asked for.</param>
internal sealed record ChildToken(int Index, int Id, TokenLogProbs? LogProbs = null);

internal sealed record ChildHello(int Pid, string Engine, string Version, string Python, string Device, int Protocol);

/// <summary>What the child's device is, once opened.</summary>
/// <param name="Device">tinygrad's name of it.</param>
/// <param name="Arch">Such as <c>gfx1100</c>; null where it has none.</param>
/// <param name="VramBytes">Its own memory; null where it uses the machine's.</param>
/// <param name="MemoryUsedBytes">By this child.</param>
/// <param name="CapacityBytes">Memory that loads are checked against; null where the device does not say.</param>
/// <param name="TuningClass">Devices of one class share tuned kernels.</param>
internal sealed record ChildProbe(
    string Device,
    string? Arch = null,
    long? VramBytes = null,
    long MemoryUsedBytes = 0,
    long? CapacityBytes = null,
    string? TuningClass = null
);

internal sealed record ChildSelfTest(bool Passed, int Values, double LargestRelativeError, string Text);

internal sealed record ChildLoad(string Model, string Path, int? ContextTokens, int Sequences, string Kv, bool Exact);

internal sealed record ChildLoaded(
    string Architecture,
    int Layers,
    int Vocabulary,
    int TrainedContextTokens,
    int ContextTokens,
    long WeightBytes,
    long KvBytes,
    long TotalBytes
);

internal sealed record ChildModel(string Model);

internal sealed record ChildWarmedUp(double Seconds);

/// <summary>Of what the child tells at any time, what is of use here.</summary>
internal sealed record ChildStats(
    long TunedKernels = 0,
    long TuningMisses = 0,
    long TuningRejected = 0,
    long KernelsSearched = 0,
    long CandidatesTimed = 0,
    DeviceCall? DeviceCall = null
);

internal sealed record ChildTune(string Model, double Seconds);

internal sealed record ChildUnloaded(long MemoryUsedBytes);

internal sealed record ChildOptions(int? MaxTokens, double Temperature, double TopP, int TopK, ulong Seed);

internal sealed record ChildGenerate(
    string Model,
    ChildOptions Options,
    IReadOnlyList<int> StopTokens,
    GenerationPriority Priority,
    int? TopLogProbs
);

internal sealed record ChildFinish(
    FinishReason Finish,
    int PromptTokens,
    int CachedTokens,
    int CompletionTokens,
    int? StopToken = null
);

internal sealed record ChildCancel(long Request);

/// <summary>JSON of the child's protocol: snake_case, unknown members ignored.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16,
    Converters = [
        typeof(SnakeCaseEnumConverter<FinishReason>),
        typeof(SnakeCaseEnumConverter<GenerationPriority>),
        typeof(SnakeCaseEnumConverter<EngineErrorClass>),
        typeof(SnakeCaseEnumConverter<TuneFinish>),
        typeof(SnakeCaseEnumConverter<TrainMethod>),
        typeof(SnakeCaseEnumConverter<TrainPrecision>),
    ]
)]
[JsonSerializable(typeof(ChildRequest))]
[JsonSerializable(typeof(ChildResponse))]
[JsonSerializable(typeof(ChildHello))]
[JsonSerializable(typeof(ChildProbe))]
[JsonSerializable(typeof(ChildSelfTest))]
[JsonSerializable(typeof(ChildLoad))]
[JsonSerializable(typeof(ChildLoaded))]
[JsonSerializable(typeof(ChildModel))]
[JsonSerializable(typeof(ChildGenerate))]
[JsonSerializable(typeof(ChildFinish))]
[JsonSerializable(typeof(ChildCancel))]
[JsonSerializable(typeof(ChildWarmedUp))]
[JsonSerializable(typeof(ChildUnloaded))]
[JsonSerializable(typeof(ChildStats))]
[JsonSerializable(typeof(ChildTune))]
[JsonSerializable(typeof(TuneResult))]
[JsonSerializable(typeof(TuningsTaken))]
[JsonSerializable(typeof(string[][]))]
[JsonSerializable(typeof(TrainSpec))]
[JsonSerializable(typeof(TrainEstimate))]
[JsonSerializable(typeof(TrainInfo))]
[JsonSerializable(typeof(TrainStepParams))]
[JsonSerializable(typeof(TrainStep))]
[JsonSerializable(typeof(TrainEvaluateParams))]
[JsonSerializable(typeof(TrainEvaluation))]
[JsonSerializable(typeof(TrainBackwardParams))]
[JsonSerializable(typeof(TrainGradients))]
[JsonSerializable(typeof(TrainUpdateParams))]
[JsonSerializable(typeof(TrainSaveParams))]
[JsonSerializable(typeof(TrainSaved))]
[JsonSerializable(typeof(TrainRestoreParams))]
[JsonSerializable(typeof(TrainContinueParams))]
[JsonSerializable(typeof(TrainContinuation))]
internal sealed partial class ChildJson : JsonSerializerContext;
