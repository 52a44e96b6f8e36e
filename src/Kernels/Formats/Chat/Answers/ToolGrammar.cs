using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Kernels.Formats.Grammars;

namespace EgpuFleet.Kernels.Formats.Chat.Answers;

/// <param name="Name">Of the function.</param>
/// <param name="Parameters">JSON Schema of its arguments, an object's; null: none are taken.</param>
public sealed record ToolSignature(string Name, JsonElement? Parameters);

/// <summary>Grammars that hold a model to calling tools in its own way, with arguments that satisfy their schemas.</summary>
public static class ToolGrammar
{
    private static readonly CharacterSet Untagged = CharacterSet.All.Without(CharacterSet.Of(('<', '<'), (0, 0)));

    /// <summary>A grammar of one call, or of several, or of a JSON answer instead.</summary>
    /// <param name="syntax">How the model writes calls.</param>
    /// <param name="tools">Of which one is called; at least one.</param>
    /// <param name="several">Whether more calls may follow the first.</param>
    /// <param name="prefix">What comes before, such as the end of a thought.</param>
    /// <param name="answer">JSON Schema of what may be said instead; null: nothing.</param>
    /// <exception cref="SchemaException">No grammar is made of a schema; its path begins with the name of the function.</exception>
    public static string Of(
        ToolSyntax syntax,
        IReadOnlyList<ToolSignature> tools,
        bool several,
        string prefix = "",
        JsonElement? answer = null
    )
    {
        ArgumentNullException.ThrowIfNull(syntax);
        ArgumentNullException.ThrowIfNull(tools);
        var rules = new GrammarRules();
        var call = rules.Add("call", Piece.Any([.. tools.Select(tool => Call(syntax, tool, rules))]));
        var calls = Piece.All(Piece.Text(syntax.Before), Calls(syntax, call, several), Piece.Text(syntax.After));
        var either = answer is { } schema ? Piece.Any(calls, SchemaGrammar.Of(schema, rules)) : calls;
        return rules.Write(Piece.All(Piece.Text(prefix), rules.Add("answer", either)));
    }

    private static Piece Calls(ToolSyntax syntax, Piece call, bool several)
    {
        Piece More(string separator, Piece one) =>
            Piece.Times(Piece.All(Piece.Text(separator), one), 0, several ? null : 0);
        if (syntax.IsList)
            return Piece.All(Piece.Text($"{syntax.Open}["), call, More(", ", call), Piece.Text($"]{syntax.Close}"));
        var line = syntax.Body is ToolBody.Json or ToolBody.Parameters && syntax.Open.Length > 0 ? "\n" : "";
        var one = Piece.All(Piece.Text(syntax.Open + line), call, Piece.Text(line + syntax.Close));
        return Piece.All(one, More(syntax.Open.Length == 0 ? "; " : line, one));
    }

    private static Piece Call(ToolSyntax syntax, ToolSignature tool, GrammarRules rules)
    {
        var (name, arguments) = syntax.Members;
        return syntax.Body switch
        {
            ToolBody.Json => Piece.All(
                Piece.Text($"{{\"{name}\": {JsonSerializer.Serialize(tool.Name)}, \"{arguments}\": "),
                Arguments(tool, rules),
                Piece.Text("}")
            ),
            ToolBody.NamedJson => Piece.All(
                Piece.Text(syntax.BeforeName + tool.Name + syntax.AfterName),
                Arguments(tool, rules),
                Piece.Text(syntax.AfterArguments)
            ),
            _ => Tagged(syntax.Body, tool, rules),
        };
    }

    private static Piece Arguments(ToolSignature tool, GrammarRules rules) => Compile(Schema(tool), tool.Name, rules);

    private static Piece Compile(JsonNode schema, string path, GrammarRules rules) =>
        new SchemaCompiler(schema, rules).Compile(schema, path);

    private static JsonNode Schema(ToolSignature tool) =>
        tool.Parameters is { } given
            ? SchemaGrammar.Read(given.GetRawText())
            : new JsonObject { ["type"] = "object", ["additionalProperties"] = false };

    private static Piece Tagged(ToolBody body, ToolSignature tool, GrammarRules rules)
    {
        var schema = Schema(tool) as JsonObject;
        var required = schema?["required"] is JsonArray list ? list.Select(one => one?.ToString()).ToHashSet() : [];
        var pieces = new List<Piece>();
        foreach (var (key, property) in schema?["properties"] as JsonObject ?? [])
        {
            var value = TaggedValue(property!.DeepClone(), $"{tool.Name}.{key}", rules);
            var (before, after) =
                body == ToolBody.Parameters
                    ? ($"<parameter={key}>\n", "\n</parameter>\n")
                    : ($"<arg_key>{key}</arg_key>\n<arg_value>", "</arg_value>\n");
            var piece = Piece.All(Piece.Text(before), value, Piece.Text(after));
            pieces.Add(required.Contains(key) ? piece : Piece.Optional(piece));
        }
        var (open, close) =
            body == ToolBody.Parameters ? ($"<function={tool.Name}>\n", "</function>") : ($"{tool.Name}\n", "");
        return Piece.All([Piece.Text(open), .. pieces, Piece.Text(close)]);
    }

    /// <summary>Text stands bare, all else as JSON.</summary>
    private static Piece TaggedValue(JsonNode schema, string path, GrammarRules rules) =>
        schema is JsonObject { } one && one["type"]?.ToString() == "string"
            ? one["enum"] is JsonArray values
                ? Piece.Any([.. values.Select(value => Piece.Text(value?.ToString() ?? ""))])
                : Piece.Times(Piece.Of(Untagged), 0, null)
            : Compile(schema, path, rules);
}
