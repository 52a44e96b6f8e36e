namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>How one answer is worded: as a chat or as a completion, whole or in pieces.</summary>
public abstract class Dialect(string id, long created, string model)
{
    public string Id => id;

    protected long Created => created;

    protected string Model => model;

    /// <summary>An event before the first piece; null where there is none.</summary>
    public abstract object? Opening();

    /// <param name="finishReason">On the last piece only.</param>
    public abstract object Piece(string text, string? finishReason);

    public abstract object Counts(Usage usage);

    public abstract object Whole(string text, string finishReason, Usage usage);
}

/// <summary><c>/v1/chat/completions</c>.</summary>
public sealed class ChatDialect(long created, string model) : Dialect($"chatcmpl-{Guid.NewGuid():N}", created, model)
{
    private const string Assistant = "assistant";

    public override object Opening() => Chunk(new ChatDelta(Assistant, string.Empty), null);

    public override object Piece(string text, string? finishReason) =>
        Chunk(new ChatDelta(null, text.Length == 0 && finishReason is not null ? null : text), finishReason);

    public override object Counts(Usage usage) =>
        new Answer<ChatChunkChoice>(Id, "chat.completion.chunk", Created, Model, [], usage);

    public override object Whole(string text, string finishReason, Usage usage) =>
        new Answer<ChatChoice>(
            Id,
            "chat.completion",
            Created,
            Model,
            [new ChatChoice(0, new AssistantMessage(Assistant, text), null, finishReason)],
            usage
        );

    private Answer<ChatChunkChoice> Chunk(ChatDelta delta, string? finishReason) =>
        new(Id, "chat.completion.chunk", Created, Model, [new ChatChunkChoice(0, delta, null, finishReason)], null);
}

/// <summary><c>/v1/completions</c>.</summary>
public sealed class CompletionDialect(long created, string model) : Dialect($"cmpl-{Guid.NewGuid():N}", created, model)
{
    private const string Name = "text_completion";

    public override object? Opening() => null;

    public override object Piece(string text, string? finishReason) => Make(text, finishReason, null);

    public override object Counts(Usage usage) => new Answer<TextChoice>(Id, Name, Created, Model, [], usage);

    public override object Whole(string text, string finishReason, Usage usage) => Make(text, finishReason, usage);

    private Answer<TextChoice> Make(string text, string? finishReason, Usage? usage) =>
        new(Id, Name, Created, Model, [new TextChoice(text, 0, null, finishReason)], usage);
}
