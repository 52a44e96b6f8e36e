using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>Arrays: the first items each by a schema of its own, where there are such, and all of them; then any number of others.</summary>
internal sealed class SchemaArrays(SchemaCompiler compiler, JsonPieces json)
{
    public Piece Compile(JsonObject schema, string path)
    {
        if (schema["uniqueItems"] is JsonValue unique && unique.TryGetValue(out bool isUnique) && isUnique)
            throw SchemaReading.Unsupported(path, "uniqueItems is not done here");
        var (least, most) = (
            SchemaReading.Count(schema, "minItems", path) ?? 0,
            SchemaReading.Count(schema, "maxItems", path)
        );
        if (most < least)
            return Piece.Never;
        // Before 2020 the list of the first items was called items.
        var old = schema["items"] is JsonArray;
        var first = SchemaReading.List(schema, old ? "items" : "prefixItems", path);
        var rest = old ? "additionalItems" : "items";
        var isOpen = schema.TryGetPropertyValue(rest, out var others);
        if (first is null or [])
            return json.Listed(isOpen ? compiler.Compile(others, $"{path}/{rest}") : json.Value, least, most);

        Piece[] leading =
        [
            .. first
                .Take(most ?? int.MaxValue)
                .Select((item, nth) => compiler.Compile(item, $"{path}/prefixItems/{nth}")),
        ];
        var spread = leading.SelectMany((item, nth) => nth == 0 ? [item] : new[] { json.Comma(), item });
        var more =
            isOpen || least > leading.Length
                ? Piece.Times(
                    Piece.All(json.Comma(), isOpen ? compiler.Compile(others, $"{path}/{rest}") : json.Value),
                    Math.Max(0, least - leading.Length),
                    most - leading.Length
                )
                : Piece.Nothing;
        return json.Bracketed("[", leading.Length == 0 ? Piece.Nothing : Piece.All([.. spread, more]), "]");
    }
}
