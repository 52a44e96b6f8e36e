using System.Text.Json;
using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Chat.Answers;

/// <summary>Calls whose arguments stand in tags, with text bare.</summary>
internal static class TaggedCall
{
    /// <param name="body">Of <see cref="ToolBody.Parameters"/> or <see cref="ToolBody.Pairs"/>.</param>
    /// <param name="text">Between the markers.</param>
    /// <param name="isText">As in <see cref="AnswerSyntax"/>.</param>
    /// <returns>The name and a JSON object; null: it is no call.</returns>
    public static (string Name, string Arguments)? Read(ToolBody body, string text, Func<string, string, bool>? isText)
    {
        var rest = text.AsSpan().Trim();
        string name;
        if (body == ToolBody.Parameters)
        {
            if (Between(ref rest, "<function=", ">") is not { Length: > 0 } named)
                return null;
            name = named.Trim();
        }
        else
        {
            var end = rest.IndexOf("<arg_key>");
            name = (end < 0 ? rest : rest[..end]).Trim().ToString();
            rest = end < 0 ? [] : rest[end..];
        }
        if (name.Length is 0 or > Limits.ToolNameChars)
            return null;
        var arguments = new JsonObject();
        while (Next(body, ref rest) is var (key, value))
            arguments[key] = isText?.Invoke(name, key) is true ? value : Value(value);
        return (name, arguments.ToJsonString());
    }

    private static (string Key, string Value)? Next(ToolBody body, ref ReadOnlySpan<char> rest)
    {
        var (open, middle, close) =
            body == ToolBody.Parameters
                ? ("<parameter=", ">", "</parameter>")
                : ("<arg_key>", "</arg_key>", "</arg_value>");
        if (Between(ref rest, open, middle) is not { } key)
            return null;
        if (body == ToolBody.Pairs && rest.IndexOf("<arg_value>") is >= 0 and var begin)
            rest = rest[(begin + "<arg_value>".Length)..];
        var end = rest.IndexOf(close);
        var value = (end < 0 ? rest : rest[..end]).ToString();
        rest = end < 0 ? [] : rest[(end + close.Length)..];
        return (key.Trim(), WithoutFrame(value));
    }

    /// <summary>The value stands on lines of its own.</summary>
    private static string WithoutFrame(string value)
    {
        var start = value.StartsWith('\n') ? 1 : 0;
        var end = value.Length - (value.Length > start && value.EndsWith('\n') ? 1 : 0);
        return value[start..end];
    }

    private static string? Between(ref ReadOnlySpan<char> rest, string open, string close)
    {
        var start = rest.IndexOf(open);
        if (start < 0)
            return null;
        var inside = rest[(start + open.Length)..];
        var end = inside.IndexOf(close);
        if (end < 0)
            return null;
        rest = inside[(end + close.Length)..];
        return inside[..end].ToString();
    }

    private static JsonNode? Value(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return text;
        }
    }
}
