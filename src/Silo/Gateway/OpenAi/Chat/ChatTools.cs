using System.Text.Json;
using EgpuFleet.Kernels.Formats.Chat.Answers;

namespace EgpuFleet.Silo.Gateway.OpenAi.Chat;

/// <summary><c>tools</c>, <c>tool_choice</c> and <c>parallel_tool_calls</c>: what the model may call, and whether it must.</summary>
/// <param name="Json">All of <c>tools</c>, for the model.</param>
/// <param name="Callable">Those that may be called.</param>
/// <param name="IsRequired">One has to be.</param>
/// <param name="Several">More than one call may be made.</param>
public sealed record ChatTools(string Json, IReadOnlyList<ToolSignature> Callable, bool IsRequired, bool Several)
{
    private const string Name = "tools";
    private const string Choice = "tool_choice";

    /// <returns>Null: none can be called.</returns>
    public static ChatTools? Read(RequestFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var several = fields.Value("parallel_tool_calls") is null || fields.Flag("parallel_tool_calls");
        var tools = ReadTools(fields);
        var choice = fields.Value(Choice);
        if (choice is { ValueKind: JsonValueKind.Object } named)
        {
            var one = Named(new RequestFields(named, Choice), tools);
            return new ChatTools(PlainJson.Of(fields.Value(Name)!.Value, Name), [one], IsRequired: true, several);
        }
        var word = fields.Text(Choice) ?? "auto";
        if (word is not ("none" or "auto" or "required"))
            throw RequestFields.Wrong(Choice, "must be none, auto, required, or name a function");
        if (word == "required" && tools.Count == 0)
            throw RequestFields.Wrong(Choice, "asks for a call, and there are no tools");
        if (word == "none" || tools.Count == 0)
            return null;
        return new ChatTools(PlainJson.Of(fields.Value(Name)!.Value, Name), tools, word == "required", several);
    }

    /// <summary>Whether a parameter takes text.</summary>
    public bool IsText(string function, string parameter)
    {
        var schema = Callable.FirstOrDefault(tool => tool.Name == function)?.Parameters;
        return schema is { ValueKind: JsonValueKind.Object } given
            && given.TryGetProperty("properties", out var all)
            && all.ValueKind == JsonValueKind.Object
            && all.TryGetProperty(parameter, out var one)
            && one.ValueKind == JsonValueKind.Object
            && one.TryGetProperty("type", out var type)
            && type.ValueKind == JsonValueKind.String
            && type.ValueEquals("string");
    }

    private static List<ToolSignature> ReadTools(RequestFields fields)
    {
        if (fields.Value(Name) is not { } list)
            return [];
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > Limits.Tools)
            throw RequestFields.Wrong(Name, $"must be a list of at most {Limits.Tools} tools");
        var tools = list.EnumerateArray().Select(ReadTool).ToList();
        if (tools.GroupBy(tool => tool.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw RequestFields.Wrong(Name, $"has {twice.Key} twice");
        return tools;
    }

    private static ToolSignature ReadTool(JsonElement tool, int index)
    {
        var at = $"{Name}[{index}]";
        if (tool.ValueKind != JsonValueKind.Object)
            throw RequestFields.Wrong(at, "must be an object");
        var fields = new RequestFields(tool, at);
        if (fields.RequiredText("type") != "function")
            throw RequestFields.Wrong(fields.At("type"), "must be function");
        if (fields.Value("function") is not { ValueKind: JsonValueKind.Object } function)
            throw RequestFields.Missing(fields.At("function"));
        var described = new RequestFields(function, fields.At("function"));
        var name = described.RequiredText("name");
        if (name.Length > Limits.ToolNameLength || !name.All(IsNameLetter))
            throw RequestFields.Wrong(
                described.At("name"),
                $"must be at most {Limits.ToolNameLength} letters, digits, dots, underscores and dashes"
            );
        described.Text("description");
        described.Flag("strict");
        return described.Value("parameters") switch
        {
            null => new ToolSignature(name, null),
            { ValueKind: JsonValueKind.Object } schema => new ToolSignature(name, schema.Clone()),
            _ => throw RequestFields.Wrong(described.At("parameters"), "must be a JSON schema, which is an object"),
        };
    }

    private static ToolSignature Named(RequestFields choice, List<ToolSignature> tools)
    {
        if (choice.RequiredText("type") != "function")
            throw RequestFields.Wrong(choice.At("type"), "must be function");
        if (choice.Value("function") is not { ValueKind: JsonValueKind.Object } function)
            throw RequestFields.Missing(choice.At("function"));
        var named = new RequestFields(function, choice.At("function"));
        var name = named.RequiredText("name");
        return tools.Find(tool => tool.Name == name)
            ?? throw RequestFields.Wrong(named.At("name"), "is the name of none of the tools");
    }

    private static bool IsNameLetter(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.';
}
