using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>Reads the values of a schema's keywords.</summary>
internal static class SchemaReading
{
    public static int? Count(JsonObject schema, string keyword, string path)
    {
        if (Number(schema, keyword, path) is not { } value)
            return null;
        if (value < 0 || value != decimal.Truncate(value))
            throw Invalid(path, $"{keyword} must be a whole number, at least 0");
        return value <= Limits.SchemaRepetitions
            ? (int)value
            : throw new SchemaException(
                SchemaFault.Limit,
                path,
                $"{keyword} is counted up to {Limits.SchemaRepetitions:N0}"
            );
    }

    public static decimal? Number(JsonObject schema, string keyword, string path)
    {
        if (!schema.TryGetPropertyValue(keyword, out var node))
            return null;
        return node is JsonValue value && value.TryGetValue(out decimal number)
            ? number
            : throw Invalid(path, $"{keyword} must be a number of at most 28 digits");
    }

    public static string? Text(JsonObject schema, string keyword, string path)
    {
        if (!schema.TryGetPropertyValue(keyword, out var node))
            return null;
        return node is JsonValue value && value.TryGetValue(out string? text)
            ? text
            : throw Invalid(path, $"{keyword} must be text");
    }

    public static JsonArray? List(JsonObject schema, string keyword, string path)
    {
        if (!schema.TryGetPropertyValue(keyword, out var node))
            return null;
        return node as JsonArray ?? throw Invalid(path, $"{keyword} must be a list");
    }

    public static IReadOnlyList<string> Names(JsonObject schema, string keyword, string path) =>
        [
            .. (List(schema, keyword, path) ?? []).Select(node =>
                node is JsonValue value && value.TryGetValue(out string? name)
                    ? name
                    : throw Invalid(path, $"{keyword} must be a list of names")
            ),
        ];

    public static SchemaException Invalid(string path, string reason) => new(SchemaFault.Invalid, path, reason);

    public static SchemaException Unsupported(string path, string reason) => new(SchemaFault.Unsupported, path, reason);
}
