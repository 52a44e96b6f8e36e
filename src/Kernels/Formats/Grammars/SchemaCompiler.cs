using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>
/// Makes pieces of a grammar of the parts of one schema. Each text of a piece satisfies its part; not every value that does
/// has a text, such as properties in another order.
/// </summary>
internal sealed class SchemaCompiler
{
    private readonly GrammarRules rules;
    private readonly JsonPieces json;
    private readonly SchemaReferences references;
    private readonly SchemaObjects objects;
    private readonly SchemaArrays arrays;
    private readonly SchemaScalars scalars;
    private readonly Dictionary<string, Piece> named = new(StringComparer.Ordinal);
    private int depth;
    private int merges;

    public SchemaCompiler(JsonNode root, GrammarRules rules)
    {
        this.rules = rules;
        json = new JsonPieces(rules);
        references = new SchemaReferences(root);
        objects = new SchemaObjects(this, rules, json);
        arrays = new SchemaArrays(this, json);
        scalars = new SchemaScalars(rules, json);
    }

    /// <param name="node">A schema.</param>
    /// <param name="path">Where it stands.</param>
    /// <exception cref="SchemaException">No grammar is made of it.</exception>
    public Piece Compile(JsonNode? node, string path)
    {
        if (node is JsonValue value && value.TryGetValue(out bool isAny))
            return isAny ? json.Value : Piece.Never;
        if (node is not JsonObject schema)
            throw SchemaReading.Invalid(path, "a schema is an object, true or false");
        if (++depth > Limits.SchemaDepth)
            throw new SchemaException(
                SchemaFault.Limit,
                path,
                "the schema goes deeper than is followed, or into itself without end"
            );
        try
        {
            return CompileObject(schema, path);
        }
        finally
        {
            depth--;
        }
    }

    private Piece CompileObject(JsonObject schema, string path)
    {
        if (schema.Select(pair => pair.Key).FirstOrDefault(SchemaKeywords.Refused.Contains) is { } refused)
            throw SchemaReading.Unsupported(path, $"{refused} is not done here");
        if (SchemaReading.Text(schema, "$ref", path) is { } reference)
            return Decides(schema, except: "$ref")
                ? Merged(path, Without(schema, "$ref"), references.Find(reference, path))
                : Referenced(reference, path);
        if (SchemaReading.List(schema, "allOf", path) is { } all)
            return Merged(path, Without(schema, "allOf"), [.. all]);
        foreach (var keyword in new[] { "anyOf", "oneOf" })
        {
            if (SchemaReading.List(schema, keyword, path) is { } ways)
                return CompileWays(schema, keyword, ways, path);
        }
        if (schema.ContainsKey("const") || schema.ContainsKey("enum"))
            return SchemaValues.Listed(schema, path);
        return SchemaTypes.Of(schema, path) is { } types
            ? Piece.Any([.. types.Select(type => CompileType(type, schema, path))])
            : json.Value;
    }

    private Piece CompileType(string type, JsonObject schema, string path) =>
        type switch
        {
            "object" => objects.Compile(schema, path),
            "array" => rules.Add("array", arrays.Compile(schema, path)),
            "boolean" => Piece.Any(Piece.Text("true"), Piece.Text("false")),
            "null" => Piece.Text("null"),
            _ => rules.Add(type, scalars.Compile(type, schema, path)),
        };

    private Piece CompileWays(JsonObject schema, string keyword, JsonArray ways, string path)
    {
        if (ways.Count == 0)
            throw SchemaReading.Invalid(path, $"{keyword} must not be empty");
        if (keyword == "oneOf" && !SchemaWays.AreApart([.. ways.Select(way => Resolved(way, path))]))
            throw SchemaReading.Unsupported(
                path,
                "oneOf needs schemas of which a value can satisfy only one, told apart by type, or by const or enum of a required property; use anyOf"
            );
        var shared = Decides(schema, except: keyword) ? Without(schema, keyword) : null;
        return Piece.Any([
            .. ways.Select(
                (way, nth) => shared is null ? Compile(way, $"{path}/{keyword}/{nth}") : Merged(path, shared, way)
            ),
        ]);
    }

    private Piece Merged(string path, JsonObject first, params IReadOnlyList<JsonNode?> others)
    {
        var merge = new SchemaMerge(path);
        var merged = first;
        foreach (var other in others)
        {
            if (++merges > Limits.SchemaMerges)
                throw new SchemaException(SchemaFault.Limit, path, $"at most {Limits.SchemaMerges} schemas are joined");
            if (other is JsonValue value && value.TryGetValue(out bool isAny))
            {
                if (!isAny)
                    return Piece.Never;
                continue;
            }
            merged = merge.Both(
                merged,
                Resolved(other, path) as JsonObject
                    ?? throw SchemaReading.Invalid(path, "a schema is an object, true or false")
            );
        }
        return Compile(merged, path);
    }

    /// <summary>What a schema that is only a reference names; itself otherwise.</summary>
    private JsonNode? Resolved(JsonNode? node, string path)
    {
        for (var followed = 0; followed < Limits.SchemaDepth; followed++)
        {
            if (
                node is not JsonObject schema
                || SchemaReading.Text(schema, "$ref", path) is not { } reference
                || Decides(schema, except: "$ref")
            )
                return node;
            node = references.Find(reference, path);
        }
        throw SchemaReading.Invalid(path, "$ref leads to itself");
    }

    private Piece Referenced(string reference, string path)
    {
        if (named.TryGetValue(reference, out var known))
            return known;
        var target = references.Find(reference, path);
        var name = rules.Reserve(reference[(reference.LastIndexOf('/') + 1)..]);
        named.Add(reference, new Use(name));
        rules.Define(name, Compile(target, reference));
        return new Use(name);
    }

    private static bool Decides(JsonObject schema, string except) =>
        schema.Any(pair => pair.Key != except && SchemaKeywords.Decides(pair.Key));

    private static JsonObject Without(JsonObject schema, string keyword)
    {
        var rest = (JsonObject)schema.DeepClone();
        rest.Remove(keyword);
        return rest;
    }
}
