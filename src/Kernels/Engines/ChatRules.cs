using System.Text.Json;

namespace EgpuFleet.Kernels.Engines;

/// <summary>What must hold of a conversation before a template sees it.</summary>
internal static class ChatRules
{
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = Limits.ToolJsonDepth };

    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>.</exception>
    public static void Check(ChatPrompt chat)
    {
        var messages = chat.Messages;
        if (messages.Count is 0 or > Limits.ChatMessages)
            throw Invalid($"{messages.Count} chat messages are not in 1..{Limits.ChatMessages}.");
        if (messages.Any(message => !IsMessage(message)))
            throw Invalid("A chat message needs content and the role system, user, assistant or tool.");
        if (messages.SelectMany(message => message.ToolCalls ?? []).Any(call => !IsCall(call)))
            throw Invalid("A call of a tool needs an id, a name, and a JSON object as text for its arguments.");
        if (chat.Tools is { } tools && !IsJson(tools, JsonValueKind.Array))
            throw Invalid("The tools of a chat are a JSON array as text.");
    }

    private static bool IsMessage(ChatMessage? message) =>
        message is { Content: not null, Role: "system" or "user" or "assistant" or "tool" };

    private static bool IsCall(ToolCall? call) =>
        call is { Id: not null, Name: not null, Arguments: { } arguments } && IsJson(arguments, JsonValueKind.Object);

    private static bool IsJson(string text, JsonValueKind kind)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Depth);
            return document.RootElement.ValueKind == kind;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static EngineException Invalid(string text) => new(EngineErrorClass.InvalidRequest, text);
}
