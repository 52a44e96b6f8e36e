using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>Finds what <c>$ref</c> names: <c>#</c> or a JSON Pointer into the same schema.</summary>
internal sealed class SchemaReferences(JsonNode root)
{
    /// <exception cref="SchemaException">It names another document, or nothing.</exception>
    public JsonNode? Find(string reference, string path)
    {
        if (reference is "" or "#")
            return root;
        if (!reference.StartsWith("#/", StringComparison.Ordinal))
            throw SchemaReading.Unsupported(
                path,
                "$ref names a place of this schema, such as #/$defs/name; others are not fetched"
            );
        JsonNode? at = root;
        foreach (var part in reference[2..].Split('/'))
        {
            var name = Uri.UnescapeDataString(part)
                .Replace("~1", "/", StringComparison.Ordinal)
                .Replace("~0", "~", StringComparison.Ordinal);
            var isFound = at switch
            {
                JsonObject members => members.TryGetPropertyValue(name, out at),
                JsonArray items when int.TryParse(name, out var index) && index >= 0 && index < items.Count => (
                    at = items[index]
                )
                    is not null,
                _ => false,
            };
            if (!isFound)
                throw SchemaReading.Invalid(path, "$ref names nothing in this schema");
        }
        return at;
    }
}
