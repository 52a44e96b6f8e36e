using System.Text.Json.Serialization;

namespace EgpuFleet.Api;

/// <summary>Generated code for the types of the hot path; the names and rules are those of <see cref="ApiJson"/>.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(JobRequest))]
[JsonSerializable(typeof(BatchLine))]
[JsonSerializable(typeof(JobInfo))]
[JsonSerializable(typeof(BulkOutcome))]
[JsonSerializable(typeof(ResultLine))]
public sealed partial class ApiJsonContext : JsonSerializerContext;
