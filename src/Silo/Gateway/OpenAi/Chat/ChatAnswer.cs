using EgpuFleet.Kernels.Formats.Chat.Answers;

namespace EgpuFleet.Silo.Gateway.OpenAi.Chat;

/// <summary>A whole answer, sorted out.</summary>
internal static class ChatAnswer
{
    public static (AssistantMessage Message, string Finish) Read(string text, string finish, AnswerSyntax? reading)
    {
        if (reading is null)
            return (new AssistantMessage("assistant", text), finish);
        var reader = new AnswerReader(reading);
        AnswerPiece[] pieces = [.. reader.Take(text), .. reader.End()];
        var said = string.Concat(pieces.OfType<Said>().Select(one => one.Text));
        var thought = string.Concat(pieces.OfType<Thought>().Select(one => one.Text));
        var arguments = pieces.OfType<Argued>().ToLookup(one => one.Call, one => one.Text);
        var calls = pieces
            .OfType<Called>()
            .Select(one => new ChatToolCall(
                ToolCallIds.Next(),
                "function",
                new ChatFunction(one.Name, string.Concat(arguments[one.Call]))
            ))
            .ToArray();
        var message = new AssistantMessage(
            "assistant",
            said.Length == 0 && calls.Length > 0 ? null : said,
            ToolCalls: calls.Length > 0 ? calls : null,
            ReasoningContent: thought.Length > 0 ? thought : null
        );
        return (message, Finish(finish, calls.Length));
    }

    /// <summary>An answer that ends with calls waits for their results.</summary>
    public static string Finish(string reason, int calls) => calls > 0 && reason == "stop" ? "tool_calls" : reason;
}
