using System.Text.Json;
using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>The types of values that a schema admits.</summary>
internal static class SchemaTypes
{
    private static readonly string[] All = ["object", "array", "string", "number", "integer", "boolean", "null"];

    /// <summary>The value of <c>type</c>: a name or a list of names.</summary>
    /// <exception cref="SchemaException">It is none.</exception>
    public static IReadOnlyList<string> Read(JsonNode? type, string path)
    {
        var names = type is JsonArray list ? list.Select(Name).ToList() : [Name(type)];
        return names.TrueForAll(name => All.Contains(name, StringComparer.Ordinal))
            ? [.. names.Distinct(StringComparer.Ordinal)]
            : throw SchemaReading.Invalid(path, $"type must be of {string.Join(", ", All)}");

        string Name(JsonNode? node) =>
            node is JsonValue value && value.TryGetValue(out string? name)
                ? name
                : throw SchemaReading.Invalid(path, "type must be a name or a list of names");
    }

    /// <summary>
    /// Those that a schema names, or that its keywords are about. Without either, null: any value. A schema about properties
    /// admits numbers too, but nobody means that.
    /// </summary>
    public static IReadOnlyList<string>? Of(JsonObject schema, string path)
    {
        if (schema.TryGetPropertyValue("type", out var type))
            return Read(type, path);
        List<string> about = [];
        if (schema.Any(pair => SchemaKeywords.OfObjects.Contains(pair.Key)))
            about.Add("object");
        if (schema.Any(pair => SchemaKeywords.OfArrays.Contains(pair.Key)))
            about.Add("array");
        if (schema.Any(pair => SchemaKeywords.OfStrings.Contains(pair.Key)))
            about.Add("string");
        if (schema.Any(pair => SchemaKeywords.OfNumbers.Contains(pair.Key)))
            about.Add("number");
        return about.Count == 0 ? null : about;
    }

    /// <summary>Whether a value is of one of the types.</summary>
    public static bool Has(IReadOnlyList<string> types, JsonNode? value) =>
        (value?.GetValueKind() ?? JsonValueKind.Null) switch
        {
            JsonValueKind.Object => types.Contains("object", StringComparer.Ordinal),
            JsonValueKind.Array => types.Contains("array", StringComparer.Ordinal),
            JsonValueKind.String => types.Contains("string", StringComparer.Ordinal),
            JsonValueKind.Number => types.Contains("number", StringComparer.Ordinal)
                || (types.Contains("integer", StringComparer.Ordinal) && IsWhole(value!)),
            JsonValueKind.True or JsonValueKind.False => types.Contains("boolean", StringComparer.Ordinal),
            _ => types.Contains("null", StringComparer.Ordinal),
        };

    private static bool IsWhole(JsonNode value) =>
        value is JsonValue number && number.TryGetValue(out decimal exact) && exact == decimal.Truncate(exact);
}
