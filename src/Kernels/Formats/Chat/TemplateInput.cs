using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>The variables of a template, with the names that published templates know.</summary>
internal static class TemplateInput
{
    /// <param name="asObjects">Whether the arguments of calls are objects, or text.</param>
    /// <param name="addGenerationPrompt">Whether the beginning of the assistant's next message follows.</param>
    public static JsonObject Of(
        IReadOnlyList<TemplateMessage> messages,
        TemplateSettings settings,
        bool asObjects = true,
        bool addGenerationPrompt = true
    )
    {
        var names = messages.SelectMany(message => message.ToolCalls).GroupBy(call => call.Id);
        var calls = names.ToDictionary(group => group.Key, group => group.Last().Name, StringComparer.Ordinal);
        var input = new JsonObject
        {
            ["messages"] = new JsonArray([.. messages.Select(message => Message(message, calls, asObjects))]),
            ["add_generation_prompt"] = addGenerationPrompt,
        };
        if (settings.Tools is { } tools)
            input["tools"] = JsonNode.Parse(tools);
        // Two names of one switch.
        if (settings.Thinking is { } thinking)
            (input["enable_thinking"], input["thinking"]) = (thinking, thinking);
        return input;
    }

    private static JsonObject Message(TemplateMessage message, Dictionary<string, string> calls, bool asObjects)
    {
        var shown = new JsonObject { ["role"] = message.Role, ["content"] = message.Content };
        if (message.Reasoning is { } reasoning)
            shown["reasoning_content"] = reasoning;
        if (message.ToolCallId is { } id)
        {
            shown["tool_call_id"] = id;
            if (calls.TryGetValue(id, out var name))
                shown["name"] = name;
        }
        if (message.ToolCalls.Count > 0)
            shown["tool_calls"] = new JsonArray([.. message.ToolCalls.Select(call => Call(call, asObjects))]);
        return shown;
    }

    private static JsonObject Call(TemplateToolCall call, bool asObjects) =>
        new()
        {
            ["id"] = call.Id,
            ["type"] = "function",
            ["function"] = new JsonObject
            {
                ["name"] = call.Name,
                ["arguments"] = asObjects ? JsonNode.Parse(call.Arguments) : call.Arguments,
            },
        };
}
