using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>JSON of the worker protocol: snake_case names and enums, unknown members ignored, shallow.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = Limits.JsonDepth,
    Converters = [
        typeof(SnakeCaseEnumConverter<WorkerVerb>),
        typeof(SnakeCaseEnumConverter<WorkerState>),
        typeof(SnakeCaseEnumConverter<FinishReason>),
        typeof(SnakeCaseEnumConverter<GenerationPriority>),
        typeof(SnakeCaseEnumConverter<EngineErrorClass>),
        typeof(SnakeCaseEnumConverter<TuneFinish>),
        typeof(SnakeCaseEnumConverter<TrainMethod>),
        typeof(SnakeCaseEnumConverter<TrainPrecision>),
    ]
)]
[JsonSerializable(typeof(RequestHeader))]
[JsonSerializable(typeof(ResponseHeader))]
[JsonSerializable(typeof(HelloParams))]
[JsonSerializable(typeof(HelloResult))]
[JsonSerializable(typeof(LoadSpec))]
[JsonSerializable(typeof(ModelInfo))]
[JsonSerializable(typeof(ModelParams))]
[JsonSerializable(typeof(GenerateParams))]
[JsonSerializable(typeof(CancelParams))]
[JsonSerializable(typeof(CreditParams))]
[JsonSerializable(typeof(WorkerStats))]
[JsonSerializable(typeof(IReadOnlyList<KernelOpts>))]
[JsonSerializable(typeof(TuningsTaken))]
[JsonSerializable(typeof(TuneParams))]
[JsonSerializable(typeof(TuneResult))]
[JsonSerializable(typeof(EngineProbe))]
[JsonSerializable(typeof(SelfTestReport))]
[JsonSerializable(typeof(GenerateBody))]
[JsonSerializable(typeof(EmbedBody))]
[JsonSerializable(typeof(Embedding))]
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
[JsonSerializable(typeof(TrainClosed))]
internal sealed partial class ProtocolJson : JsonSerializerContext
{
    /// <exception cref="EngineException"><see cref="EngineErrorClass.ProtocolViolation"/>: not the JSON this message needs.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw Violation(typeof(T).Name, "null");
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException)
        {
            throw Violation(typeof(T).Name, exception.Message);
        }
    }

    /// <exception cref="EngineException"><see cref="EngineErrorClass.ProtocolViolation"/>: absent, or not what the verb needs.</exception>
    public static T Read<T>(JsonElement? json, JsonTypeInfo<T> type)
        where T : class
    {
        if (json is not { } element)
            throw Violation(typeof(T).Name, "absent");
        try
        {
            return element.Deserialize(type) ?? throw Violation(typeof(T).Name, "null");
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException)
        {
            throw Violation(typeof(T).Name, exception.Message);
        }
    }

    private static EngineException Violation(string what, string why) =>
        new(Engines.EngineErrorClass.ProtocolViolation, $"{what} expected: {why}");
}

/// <summary>Enums as snake_case words; numbers are refused.</summary>
internal sealed class SnakeCaseEnumConverter<T>()
    : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
