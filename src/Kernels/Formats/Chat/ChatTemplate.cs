using System.Text.Json.Nodes;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;
using Jint.Native;

namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>
/// The Jinja text by which a model wants its conversations written. It comes with the model's file, so it is hostile: it
/// runs in an interpreter of an interpreter without a way out, and within <see cref="TemplateBounds"/>. It sees no clock:
/// the same conversation gives the same text always. Safe to use from any thread; one renders at a time.
/// </summary>
public sealed class ChatTemplate
{
    private readonly Lock rendering = new();
    private readonly string source;
    private readonly TemplateTokens tokens;
    private readonly TemplateBounds bounds;
    private (TemplateEngine Engine, JsValue Program) compiled;

    private ChatTemplate(string source, TemplateTokens tokens, TemplateBounds bounds)
    {
        (this.source, this.tokens, this.bounds) = (source, tokens, bounds);
        compiled = Compile();
    }

    /// <summary>The text of a file's template; null where it has none.</summary>
    /// <exception cref="GgufException">What the file has in its place is no text.</exception>
    public static string? SourceOf(GgufMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return metadata.Text(GgufModelKeys.ChatTemplate) is { Length: > 0 } source ? source : null;
    }

    /// <summary>The template of a model's file, or null where it has none.</summary>
    /// <exception cref="ChatTemplateException">It has one that is not understood.</exception>
    /// <exception cref="GgufException">What the file has in its place is no text.</exception>
    public static ChatTemplate? Of(GgufMetadata metadata, GgufTokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(tokenizer);
        if (SourceOf(metadata) is not { } source)
            return null;
        string Name(int? token) => token is { } id ? tokenizer.NameOf(id) : "";
        return Parse(source, new TemplateTokens(Name(tokenizer.Bos), Name(tokenizer.Eos)));
    }

    /// <summary>Reads a template.</summary>
    /// <exception cref="ChatTemplateException"><see cref="ChatTemplateFault.Invalid"/> or <see cref="ChatTemplateFault.Limit"/>.</exception>
    public static ChatTemplate Parse(string source, TemplateTokens tokens, TemplateBounds? bounds = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Length > Limits.ChatTemplateChars)
            throw new ChatTemplateException(
                ChatTemplateFault.Limit,
                $"The chat template has more than {Limits.ChatTemplateChars:N0} characters."
            );
        return new ChatTemplate(source, tokens, bounds ?? new TemplateBounds());
    }

    /// <summary>The conversation as the model is to read it.</summary>
    /// <param name="messages">In order; any text may be in them.</param>
    /// <param name="addGenerationPrompt">Whether the beginning of the assistant's next message follows.</param>
    /// <exception cref="ChatTemplateException">
    /// <see cref="ChatTemplateFault.Refused"/>, <see cref="ChatTemplateFault.Invalid"/> or <see cref="ChatTemplateFault.Limit"/>.
    /// </exception>
    public string Render(IReadOnlyList<TemplateMessage> messages, bool addGenerationPrompt)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return Render(TemplateInput.Of(messages, new TemplateSettings(), addGenerationPrompt: addGenerationPrompt));
    }

    /// <param name="variables">Of <see cref="TemplateInput"/>.</param>
    /// <inheritdoc cref="Render(IReadOnlyList{TemplateMessage}, bool)" path="/exception"/>
    internal string Render(JsonObject variables)
    {
        variables["bos_token"] = tokens.Bos;
        variables["eos_token"] = tokens.Eos;
        var input = variables.ToJsonString();
        lock (rendering)
        {
            var (engine, program) = compiled;
            try
            {
                return engine.Render(program, input);
            }
            catch (ChatTemplateException e) when (e.Code == ChatTemplateFault.Limit)
            {
                // What was cut off in the middle is not relied on again.
                compiled = Compile();
                throw;
            }
        }
    }

    private (TemplateEngine Engine, JsValue Program) Compile()
    {
        var engine = new TemplateEngine(bounds);
        return (engine, engine.Compile(source));
    }
}
