using System.Text.Json;
using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>
/// Grammars in GBNF, which hold a model to JSON. Whatever is sampled by the grammar of a schema satisfies the schema; a
/// schema that no grammar can be made of so is refused by name.
/// </summary>
public static class SchemaGrammar
{
    /// <summary>A grammar for a JSON Schema.</summary>
    /// <param name="schema">From outside.</param>
    /// <param name="prefix">Text before it.</param>
    /// <exception cref="SchemaException">One of <see cref="SchemaFault"/>.</exception>
    public static string Of(JsonElement schema, string prefix = "")
    {
        var rules = new GrammarRules();
        var value = Of(schema, rules);
        return rules.Write(prefix.Length == 0 ? value : Piece.All(Piece.Text(prefix), value));
    }

    /// <summary>The same as a piece of a grammar.</summary>
    internal static Piece Of(JsonElement schema, GrammarRules rules)
    {
        var root = Read(schema.GetRawText());
        return new SchemaCompiler(root, rules).Compile(root, "#");
    }

    /// <summary>A grammar for any JSON object.</summary>
    public static string AnyObject()
    {
        using var any = JsonDocument.Parse("""{"type":"object"}""");
        return Of(any.RootElement);
    }

    /// <summary>A schema as text from outside.</summary>
    internal static JsonNode Read(string text)
    {
        if (text.Length > Limits.SchemaChars)
            throw new SchemaException(
                SchemaFault.Limit,
                "#",
                $"a schema has at most {Limits.SchemaChars:N0} characters"
            );
        try
        {
            var options = new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = Limits.SchemaDepth };
            var node =
                JsonNode.Parse(text, documentOptions: options)
                ?? throw SchemaReading.Invalid("#", "a schema is an object");
            // Written once, so that text that is not Unicode is found here.
            node.ToJsonString();
            return node;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw SchemaReading.Invalid("#", $"the schema cannot be read: {e.Message}");
        }
    }
}
