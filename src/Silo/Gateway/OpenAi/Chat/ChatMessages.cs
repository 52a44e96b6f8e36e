using System.Text;
using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi.Chat;

/// <summary><c>messages</c>: role and content, which is a text or a list of text parts; and calls of tools with their answers.</summary>
internal static class ChatMessages
{
    private const string Name = "messages";

    public static ChatMessage[] Read(RequestFields fields)
    {
        var list = fields.Value(Name) ?? throw RequestFields.Missing(Name);
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > Limits.ChatMessages)
            throw RequestFields.Wrong(Name, $"must be a list of 1 to {Limits.ChatMessages} messages");
        return [.. list.EnumerateArray().Select(Read)];
    }

    private static ChatMessage Read(JsonElement message, int index)
    {
        var name = $"{Name}[{index}]";
        if (message.ValueKind != JsonValueKind.Object)
            throw RequestFields.Wrong(name, "must be an object");
        var fields = new RequestFields(message, name);
        var role = fields.Text("role") switch
        {
            // OpenAI's newer name of the same thing.
            "system" or "developer" => "system",
            "user" => "user",
            "assistant" => "assistant",
            "tool" => "tool",
            _ => throw RequestFields.Wrong($"{name}.role", "must be system, developer, user, assistant or tool"),
        };
        var calls = role == "assistant" ? MessageCalls.Read(fields) : null;
        if (role != "assistant" && fields.Value("tool_calls") is not null)
            throw RequestFields.Wrong(fields.At("tool_calls"), "belongs to an assistant");
        return new ChatMessage(
            role,
            Content(fields, isOptional: calls is not null),
            calls,
            role == "tool" ? Storable(fields.RequiredText("tool_call_id"), fields.At("tool_call_id")) : null,
            role == "assistant" && fields.Text("reasoning_content") is { } thought
                ? Storable(thought, fields.At("reasoning_content"))
                : null
        );
    }

    private static string Content(RequestFields fields, bool isOptional)
    {
        var name = fields.At("content");
        if (fields.Value("content") is { } content)
            return Storable(Text(content, name), name);
        return isOptional ? "" : throw RequestFields.Missing(name);
    }

    private static string Storable(string text, string name) =>
        Texts.IsStorable(text) ? text : throw RequestFields.Wrong(name, "contains the character U+0000");

    private static string Text(JsonElement content, string name)
    {
        if (content.ValueKind != JsonValueKind.Array)
            return RequestFields.Text(content, name);
        var text = new StringBuilder();
        foreach (var part in content.EnumerateArray())
        {
            if (part.ValueKind != JsonValueKind.Object)
                throw RequestFields.Wrong(name, "must hold text parts");
            var fields = new RequestFields(part);
            if (fields.Text("type") != "text" || fields.Value("text") is not { } piece)
                throw RequestFields.Wrong(name, "may hold text parts only");
            text.Append(RequestFields.Text(piece, name));
        }
        return text.ToString();
    }
}
