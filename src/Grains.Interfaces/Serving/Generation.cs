using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Grains.Interfaces.Serving;

/// <summary>How to generate. Temperature 0 is greedy; then seed, top-p and top-k do not matter.</summary>
/// <param name="MaxTokens">At most so many tokens; null: up to the end of the context.</param>
/// <param name="Seed">Per-token randomness is keyed by (seed, token index), so equal seeds give equal text.</param>
/// <param name="Stop">Up to 4 strings; generation ends before the first of them.</param>
/// <param name="Grammar">GBNF that the text is held to, which <see cref="GrammarEngine"/> alone does; null: any text.</param>
[GenerateSerializer, Immutable, Alias("fleet.GenerationParameters")]
public sealed record GenerationParameters(
    [property: Id(0)] int? MaxTokens,
    [property: Id(1)] double Temperature,
    [property: Id(2)] double TopP,
    [property: Id(3)] int TopK,
    [property: Id(4)] long Seed,
    [property: Id(5)] string[] Stop,
    [property: Id(6)] string? Grammar = null
)
{
    /// <summary>The engine that holds a text to a grammar, as devices name it.</summary>
    public const string GrammarEngine = "llama.cpp";
}

/// <summary>One chat message; role is system, user or assistant.</summary>
[GenerateSerializer, Immutable, Alias("fleet.ChatMessage")]
public sealed record ChatMessage([property: Id(0)] string Role, [property: Id(1)] string Content);

/// <summary>An interactive request for one model. Exactly one of prompt, token ids and messages is set.</summary>
[GenerateSerializer, Immutable, Alias("fleet.GenerateRequest")]
public sealed record GenerateRequest(
    [property: Id(0)] string RequestId,
    [property: Id(1)] ModelRef Model,
    [property: Id(2)] GenerationParameters Parameters,
    [property: Id(3)] string? Prompt,
    [property: Id(4)] int[]? TokenIds,
    [property: Id(5)] ChatMessage[]? Messages
);

/// <summary>
/// A piece of output. <paramref name="Index"/> counts chunks from 0 so that a consumer can tell a gap from a repeat.
/// The last chunk has a finish reason (stop, length, cancelled) and the usage; others have neither.
/// </summary>
[GenerateSerializer, Immutable, Alias("fleet.TokenChunk")]
public readonly record struct TokenChunk(
    [property: Id(0)] int Index,
    [property: Id(1)] string Text,
    [property: Id(2)] string? FinishReason,
    [property: Id(3)] int PromptTokens,
    [property: Id(4)] int CompletionTokens
);

/// <summary>A request that cannot be served as it is, or not by this device; carries the engine's error class.</summary>
/// <param name="code">Stable code, such as <c>context_length_exceeded</c>, <c>model_has_no_chat_template</c>, <c>model_invalid</c>, <c>worker_lost</c>.</param>
/// <param name="retryable">True where another device, or a later try, may succeed.</param>
[GenerateSerializer, Alias("fleet.GenerationException")]
public sealed class GenerationException(string code, string message, bool retryable) : Exception(message)
{
    [Id(0)]
    public string Code { get; } = code;

    [Id(1)]
    public bool Retryable { get; } = retryable;
}
