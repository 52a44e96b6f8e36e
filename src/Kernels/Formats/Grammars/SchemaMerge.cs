using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>One schema that says what two say.</summary>
internal sealed class SchemaMerge(string path)
{
    /// <exception cref="SchemaException">Both say something that one keyword cannot say.</exception>
    public JsonObject Both(JsonObject one, JsonObject other)
    {
        RequireOpen(one, other);
        RequireOpen(other, one);
        var merged = (JsonObject)one.DeepClone();
        foreach (var (keyword, value) in other)
        {
            if (!SchemaKeywords.Decides(keyword) || !merged.TryGetPropertyValue(keyword, out var known))
            {
                merged[keyword] = value?.DeepClone();
                continue;
            }
            if (!JsonNode.DeepEquals(known, value))
                merged[keyword] = Joined(keyword, known, value);
        }
        return merged;
    }

    private JsonNode? Joined(string keyword, JsonNode? one, JsonNode? other) =>
        (keyword, one, other) switch
        {
            ("type", _, _) => Types(one, other),
            ("required", JsonArray a, JsonArray b) => new JsonArray([
                .. a.Concat(b)
                    .DistinctBy(name => name?.ToJsonString(), StringComparer.Ordinal)
                    .Select(name => name?.DeepClone()),
            ]),
            ("enum", JsonArray a, JsonArray b) => new JsonArray([
                .. a.Where(value => b.Any(wanted => JsonNode.DeepEquals(value, wanted)))
                    .Select(value => value?.DeepClone()),
            ]),
            ("properties", JsonObject a, JsonObject b) => Properties(a, b),
            ("anyOf" or "oneOf" or "$ref", _, _) => throw Refused(keyword),
            _ when keyword.StartsWith("min", StringComparison.Ordinal) || keyword == "exclusiveMinimum" => Chosen(
                keyword,
                one,
                other,
                larger: true
            ),
            _ when keyword.StartsWith("max", StringComparison.Ordinal) || keyword == "exclusiveMaximum" => Chosen(
                keyword,
                one,
                other,
                larger: false
            ),
            _ => throw Refused(keyword),
        };

    private static JsonObject Properties(JsonObject one, JsonObject other)
    {
        var merged = (JsonObject)one.DeepClone();
        foreach (var (name, schema) in other)
            merged[name] =
                !merged.TryGetPropertyValue(name, out var known) || JsonNode.DeepEquals(known, schema)
                    ? schema?.DeepClone()
                    : new JsonObject { ["allOf"] = new JsonArray(known?.DeepClone(), schema?.DeepClone()) };
        return merged;
    }

    private JsonArray Types(JsonNode? one, JsonNode? other)
    {
        string[] a = [.. SchemaTypes.Read(one, path)],
            b = [.. SchemaTypes.Read(other, path)];
        var both = a.Where(type => Has(b, type)).Concat(b.Where(type => Has(a, type))).Distinct(StringComparer.Ordinal);
        return new JsonArray([.. both.Select(type => JsonValue.Create(type))]);

        static bool Has(string[] types, string type) =>
            types.Contains(type, StringComparer.Ordinal)
            || (type == "integer" && types.Contains("number", StringComparer.Ordinal));
    }

    private JsonNode? Chosen(string keyword, JsonNode? one, JsonNode? other, bool larger)
    {
        if (
            one is not JsonValue a
            || other is not JsonValue b
            || !a.TryGetValue(out decimal first)
            || !b.TryGetValue(out decimal second)
        )
            throw SchemaReading.Invalid(path, $"{keyword} must be a number");
        return (first > second == larger ? one : other).DeepClone();
    }

    /// <summary>A closed object admits what it names itself, whatever the other schema names.</summary>
    private void RequireOpen(JsonObject closed, JsonObject other)
    {
        var isOpen =
            closed["additionalProperties"] is not { } rule
            || (rule is JsonValue value && value.TryGetValue(out bool any) && any);
        if (isOpen || other["properties"] is not JsonObject named)
            return;
        var own = closed["properties"] as JsonObject;
        if (named.Any(property => own?.ContainsKey(property.Key) != true))
            throw SchemaReading.Unsupported(
                path,
                "schemas are not joined of which one has additionalProperties and the other more properties"
            );
    }

    private SchemaException Refused(string keyword) =>
        SchemaReading.Unsupported(path, $"two different {keyword} at once are not done here");
}
