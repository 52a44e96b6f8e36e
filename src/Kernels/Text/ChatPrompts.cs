using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Chat;

namespace EgpuFleet.Kernels.Text;

/// <summary>Writes chats as one text, by the template that a model's file has. Safe to use from any thread.</summary>
/// <param name="source">The template; null or empty: the model has none.</param>
/// <param name="tokens">What the template calls by name.</param>
internal sealed class ChatPrompts(string? source, TemplateTokens tokens)
{
    private static readonly ChatPrompt Probe = new([new ChatMessage("user", "?")]);

    // Most models are never asked to chat; reading a template takes a while.
    private readonly Lazy<ConversationText> template = new(() => new(ChatTemplate.Parse(source!, tokens)));

    /// <summary>Whether there is a template, which may prove to be none.</summary>
    public bool HasTemplate => source is { Length: > 0 };

    /// <summary>Whether the beginning-of-text token is written by the template, and need not be added.</summary>
    public bool BeginsText(string rendered) =>
        tokens.Bos.Length > 0 && rendered.StartsWith(tokens.Bos, StringComparison.Ordinal);

    /// <summary>Reads the template ahead of the first chat; what is wrong with it is told to whoever chats.</summary>
    public void WarmUp()
    {
        if (!HasTemplate)
            return;
        try
        {
            Render(Probe);
        }
        catch (EngineException) { }
    }

    /// <summary>The conversation as one text that ends where the assistant's answer begins.</summary>
    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.ModelHasNoChatTemplate"/>, also where it is none that is understood, or
    /// <see cref="EngineErrorClass.InvalidRequest"/>: it refuses these messages.
    /// </exception>
    public string Render(ChatPrompt chat)
    {
        if (!HasTemplate)
            throw NoTemplate("The model has no chat template; send a completion request instead.");
        try
        {
            return template.Value.Render([.. chat.Messages.Select(Shown)], new(chat.Tools, chat.Thinking));
        }
        catch (ChatTemplateException invalid) when (invalid.Code == ChatTemplateFault.Invalid)
        {
            throw NoTemplate($"{invalid.Message} Send a completion request instead.");
        }
        catch (ChatTemplateException refused)
        {
            throw new EngineException(EngineErrorClass.InvalidRequest, refused.Message, innerException: refused);
        }
    }

    private static TemplateMessage Shown(ChatMessage message) =>
        new(message.Role, message.Content)
        {
            ToolCalls =
            [
                .. (message.ToolCalls ?? []).Select(call => new TemplateToolCall(call.Id, call.Name, call.Arguments)),
            ],
            ToolCallId = message.ToolCallId,
            Reasoning = message.Reasoning,
        };

    private static EngineException NoTemplate(string text) => new(EngineErrorClass.ModelHasNoChatTemplate, text);
}
