using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>Tells whether a value can satisfy at most one of several schemas, as <c>oneOf</c> demands.</summary>
internal static class SchemaWays
{
    public static bool AreApart(IReadOnlyList<JsonNode?> ways)
    {
        if (ways.Count > Limits.SchemaWays || ways.Any(way => way is not JsonObject))
            return false;
        for (var one = 0; one < ways.Count; one++)
        {
            for (var other = one + 1; other < ways.Count; other++)
            {
                if (!AreApart((JsonObject)ways[one]!, (JsonObject)ways[other]!))
                    return false;
            }
        }
        return true;
    }

    private static bool AreApart(JsonObject one, JsonObject other)
    {
        if (Values(one) is { } a && Values(other) is { } b)
            return !a.Exists(value => b.Exists(wanted => JsonNode.DeepEquals(value, wanted)));
        var (types, others) = (Types(one), Types(other));
        if (types is null || others is null)
            return false;
        if (!types.Exists(type => others.Exists(wanted => Overlap(type, wanted))))
            return true;
        return types is ["object"] && others is ["object"] && Tagged(one, other);
    }

    /// <summary>Both require a property that has other values in each.</summary>
    private static bool Tagged(JsonObject one, JsonObject other) =>
        Required(one)
            .Intersect(Required(other), StringComparer.Ordinal)
            .Any(name =>
                one["properties"]?[name] is JsonObject a
                && other["properties"]?[name] is JsonObject b
                && Values(a) is not null
                && Values(b) is not null
                && AreApart(a, b)
            );

    private static IEnumerable<string> Required(JsonObject schema) =>
        schema["required"] is JsonArray && schema["properties"] is JsonObject
            ? SchemaReading.Names(schema, "required", "#")
            : [];

    private static List<JsonNode?>? Values(JsonObject schema) =>
        schema.TryGetPropertyValue("const", out var only) ? [only]
        : schema["enum"] is JsonArray list ? [.. list]
        : null;

    private static List<string>? Types(JsonObject schema) =>
        Values(schema) is null && schema.TryGetPropertyValue("type", out var type)
            ? [.. SchemaTypes.Read(type, "#")]
            : null;

    private static bool Overlap(string one, string other) =>
        one == other || (one is "integer" or "number" && other is "integer" or "number");
}
