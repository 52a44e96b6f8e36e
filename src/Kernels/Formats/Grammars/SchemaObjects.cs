using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>Objects: the properties in the order in which the schema names them, then others where it is open.</summary>
internal sealed class SchemaObjects(SchemaCompiler compiler, GrammarRules rules, JsonPieces json)
{
    private sealed record Property(Piece Pair, bool IsRequired);

    public Piece Compile(JsonObject schema, string path)
    {
        var named = schema.TryGetPropertyValue("properties", out var given)
            ? given as JsonObject ?? throw SchemaReading.Invalid(path, "properties must be an object")
            : [];
        var required = SchemaReading.Names(schema, "required", path).ToHashSet(StringComparer.Ordinal);
        var unnamed = required.Where(name => !named.ContainsKey(name)).ToList();
        var isOpen = schema.TryGetPropertyValue("additionalProperties", out var others);
        // One that says nothing of others admits them; none are made where it names some of its own.
        var other =
            isOpen ? compiler.Compile(others, $"{path}/additionalProperties")
            : named.Count == 0 && unnamed.Count == 0 ? json.Value
            : Piece.Never;
        List<Property> properties =
        [
            .. named.Select(pair => new Property(
                Pair(pair.Key, compiler.Compile(pair.Value, $"{path}/properties/{pair.Key}")),
                required.Contains(pair.Key)
            )),
            .. unnamed.Select(name => new Property(Pair(name, isOpen ? other : json.Value), IsRequired: true)),
        ];
        var (least, most) = (
            SchemaReading.Count(schema, "minProperties", path) ?? 0,
            SchemaReading.Count(schema, "maxProperties", path)
        );
        var content =
            properties.Count == 0
                ? Others(other, [], least, most, path)
                : Ordered(
                    properties,
                    Counted(other, properties, least, most, path),
                    [.. named.Select(pair => pair.Key), .. unnamed]
                );
        return rules.Add("object", json.Bracketed("{", content, "}"));
    }

    private Piece Pair(string name, Piece value) => json.Pair(JsonPieces.Of(JsonValue.Create(name)), value);

    /// <summary>The others that may follow, as far as bounds of the number of properties leave it open.</summary>
    private static Piece Counted(Piece other, List<Property> properties, int least, int? most, string path)
    {
        if (least > properties.Count(property => property.IsRequired))
            throw SchemaReading.Unsupported(
                path,
                "minProperties above the number of required properties is not done here"
            );
        if (most < properties.Count)
            throw SchemaReading.Unsupported(path, "maxProperties below the number of properties is not done here");
        return most is null ? other : Piece.Never;
    }

    private Piece Others(Piece other, IReadOnlyList<string> taken, int least, int? most, string path)
    {
        if (least > 1)
            throw SchemaReading.Unsupported(path, "minProperties above 1 is not done here where names are free");
        var pair = json.Pair(KeyPieces.NoneOf(taken, json, path), other);
        var more = Piece.All(json.Comma(), pair);
        return other == Piece.Never
            ? (least == 0 ? Piece.Nothing : Piece.Never)
            : Piece.Times(Piece.All(pair, Piece.Times(more, 0, most - 1)), least, most == 0 ? 0 : 1);
    }

    /// <summary>
    /// Two rules a property: for what follows when nothing stands before it, and when something does and a comma is due.
    /// Made from the last to the first.
    /// </summary>
    private Piece Ordered(List<Property> properties, Piece other, IReadOnlyList<string> taken)
    {
        var (first, later) = (Piece.Nothing, Piece.Nothing);
        if (other != Piece.Never)
        {
            var pair = json.Pair(KeyPieces.NoneOf(taken, json, "#"), other);
            later = rules.Add("more", Piece.Times(Piece.All(json.Comma(), pair), 0, null));
            first = Piece.Optional(Piece.All(pair, later));
        }
        for (var nth = properties.Count - 1; nth >= 0; nth--)
        {
            var (pair, isRequired) = properties[nth];
            var here = Piece.All(pair, later);
            var afterComma = Piece.All(json.Comma(), pair, later);
            (first, later) = isRequired
                ? (rules.Add("first", here), rules.Add("then", afterComma))
                : (rules.Add("first", Piece.Any(here, first)), rules.Add("then", Piece.Any(afterComma, later)));
        }
        return first;
    }
}
