using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Kernels.Formats.Chat;
using EgpuFleet.Kernels.Formats.Chat.Answers;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>What the chat template of a model file, which is hostile, tells of what the model writes.</summary>
internal static class TemplateWords
{
    private static readonly TemplateMessage[] Question = [new("user", "?")];
    private static readonly TemplateBounds Bounds = new(Statements: 5_000_000, MemoryBytes: 128 << 20, Seconds: 10);

    public static ChatWords Of(string source)
    {
        var think = ThinkSyntax.Of(source);
        bool Begins(bool? thinking) => think is not null && BeginsThinking(source, think, thinking);
        return new ChatWords(ToolSyntaxes.Of(source).Name, think?.Open, Begins(null), Begins(false));
    }

    /// <summary>A template that does not render is the affair of whoever chats.</summary>
    private static bool BeginsThinking(string source, ThinkSyntax think, bool? thinking)
    {
        try
        {
            var template = ChatTemplate.Parse(source, new TemplateTokens("<s>", "</s>"), Bounds);
            var text = new ConversationText(template).Render(Question, new TemplateSettings(Thinking: thinking));
            return text.TrimEnd().EndsWith(think.Open, StringComparison.Ordinal);
        }
        catch (ChatTemplateException)
        {
            return false;
        }
    }
}
