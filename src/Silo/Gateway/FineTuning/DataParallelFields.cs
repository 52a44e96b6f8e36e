using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Silo.Gateway.OpenAi;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>The object <c>egpufleet.data_parallel</c> of a request.</summary>
internal static class DataParallelFields
{
    public const string Name = "data_parallel";

    private const int MostDevices = 16;
    private const int UsualSteps = 30;
    private const int MostSteps = 10_000;
    private const double LongestRoundSeconds = 3600;
    private const double UsualRoundSeconds = 600;

    /// <summary>Below it nothing is learnt in the rounds that a run has.</summary>
    private const double LeastRate = 0.01;

    public static readonly string[] Known =
    [
        "devices",
        "steps",
        "round_seconds",
        "outer_rate",
        "outer_momentum",
        "encoding",
    ];

    /// <param name="given">The object; its names are known.</param>
    /// <exception cref="GatewayException">400: a field is wrong or missing.</exception>
    public static DataParallelParameters Read(JsonElement given)
    {
        var fields = new RequestFields(given, Name);
        return new DataParallelParameters(
            (int)(fields.Whole("devices", 2, MostDevices) ?? throw RequestFields.Missing(fields.At("devices"))),
            (int)(fields.Whole("steps", 1, MostSteps) ?? UsualSteps),
            fields.Number("round_seconds", 1, LongestRoundSeconds) ?? UsualRoundSeconds,
            fields.Number("outer_rate", LeastRate, 2) ?? 1,
            fields.Number("outer_momentum", 0, 0.99) ?? 0,
            fields.Text("encoding") switch
            {
                null or "f16" => DeltaEncoding.F16,
                "f32" => DeltaEncoding.F32,
                "i8" => DeltaEncoding.Int8,
                _ => throw RequestFields.Wrong(fields.At("encoding"), "must be f32, f16 or i8"),
            }
        );
    }
}
