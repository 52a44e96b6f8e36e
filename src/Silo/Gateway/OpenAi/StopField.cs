using System.Text.Json;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary><c>stop</c>: a string, or up to four.</summary>
internal static class StopField
{
    private const string Name = "stop";

    public static string[] Read(RequestFields fields) =>
        fields.Value(Name) switch
        {
            null => [],
            { ValueKind: JsonValueKind.String } one => Check([one]),
            { ValueKind: JsonValueKind.Array } many => Check([.. many.EnumerateArray().Take(Limits.StopStrings + 1)]),
            _ => throw RequestFields.Wrong(Name, "must be a string or a list of strings"),
        };

    private static string[] Check(JsonElement[] values) =>
        StopRules.Check(
            [.. values.Select(value => RequestFields.Text(value, Name))],
            reason => RequestFields.Wrong(Name, reason)
        );
}
