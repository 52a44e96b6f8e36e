using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>Tools for templates that know none: said in the messages, in the way of Hermes models.</summary>
internal static class ToolsInWords
{
    /// <param name="messages">Of any role.</param>
    /// <param name="tools">A JSON array as text; null: none can be called now.</param>
    /// <returns>Messages without calls, and without tools among the roles.</returns>
    public static IReadOnlyList<TemplateMessage> Of(IReadOnlyList<TemplateMessage> messages, string? tools)
    {
        var said = messages.Select(Say).ToList();
        if (tools is null)
            return said;
        var description = Description(tools);
        if (said is [{ Role: "system" } first, ..])
            said[0] = first with { Content = $"{first.Content}\n\n{description}" };
        else
            said.Insert(0, new TemplateMessage("system", description));
        return said;
    }

    private static TemplateMessage Say(TemplateMessage message)
    {
        if (message.Role == "tool")
            return new TemplateMessage("user", $"<tool_response>\n{message.Content}\n</tool_response>");
        if (message.ToolCalls.Count == 0)
            return message;
        var calls = message.ToolCalls.Select(call =>
        {
            var written = new JsonObject { ["name"] = call.Name, ["arguments"] = JsonNode.Parse(call.Arguments) };
            return $"<tool_call>\n{written.ToJsonString()}\n</tool_call>";
        });
        string[] parts = message.Content.Length == 0 ? [.. calls] : [message.Content, .. calls];
        return message with { Content = string.Join('\n', parts), ToolCalls = [] };
    }

    private static string Description(string tools)
    {
        var listed = JsonNode.Parse(tools)!.AsArray().Select(tool => tool!.ToJsonString());
        return "You may call functions. Their signatures, one on each line:\n"
            + $"<tools>\n{string.Join('\n', listed)}\n</tools>\n"
            + "To call one, answer with its name and its arguments as a JSON object between tags:\n"
            + "<tool_call>\n{\"name\": \"the name\", \"arguments\": {}}\n</tool_call>";
    }
}
