using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>Schemas that list the values they admit: <c>const</c> and <c>enum</c>.</summary>
internal static class SchemaValues
{
    private static readonly string[] Beside = ["type", "enum", "const"];

    public static Piece Listed(JsonObject schema, string path)
    {
        if (
            schema
                .Select(pair => pair.Key)
                .FirstOrDefault(key => SchemaKeywords.Decides(key) && !Beside.Contains(key)) is
            { } more
        )
            throw SchemaReading.Unsupported(path, $"{more} beside const or enum is not done here");
        IEnumerable<JsonNode?> values = SchemaReading.List(schema, "enum", path) is { } list
            ? list
            : Enumerable.Repeat(schema["const"], 1);
        if (schema.TryGetPropertyValue("const", out var only))
            values = values.Where(value => JsonNode.DeepEquals(value, only));
        if (schema.TryGetPropertyValue("type", out var type))
        {
            var types = SchemaTypes.Read(type, path);
            values = values.Where(value => SchemaTypes.Has(types, value));
        }
        return Piece.Any([.. values.Select(JsonPieces.Of)]);
    }
}
