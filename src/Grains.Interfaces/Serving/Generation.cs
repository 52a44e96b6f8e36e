using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Grains.Interfaces.Serving;

/// <summary>How to generate. Temperature 0 is greedy; then seed, top-p and top-k do not matter.</summary>
/// <param name="MaxTokens">At most so many tokens; null: up to the end of the context.</param>
/// <param name="Seed">Per-token randomness is keyed by (seed, token index), so equal seeds give equal text.</param>
/// <param name="Stop">Up to 4 strings; generation ends before the first of them.</param>
/// <param name="Grammar">GBNF that the text is held to; null: any text.</param>
/// <param name="FrequencyPenalty">Taken off the logit of a token for each time that the answer has it already; -2 to 2.</param>
/// <param name="PresencePenalty">Taken off the logit of a token that the answer has already; -2 to 2.</param>
/// <param name="Biases">Added to the logits of some tokens; null: none.</param>
/// <param name="TopLogProbs">
/// Tell every token's log-probability, and those of this many most likely ones in its place; null: none.
/// </param>
/// <param name="Shown">Names of control tokens that the text has too; null: none.</param>
[GenerateSerializer, Immutable, Alias("fleet.GenerationParameters")]
public sealed record GenerationParameters(
    [property: Id(0)] int? MaxTokens,
    [property: Id(1)] double Temperature,
    [property: Id(2)] double TopP,
    [property: Id(3)] int TopK,
    [property: Id(4)] long Seed,
    [property: Id(5)] string[] Stop,
    [property: Id(6)] string? Grammar = null,
    [property: Id(7)] double FrequencyPenalty = 0,
    [property: Id(8)] double PresencePenalty = 0,
    [property: Id(9)] LogitBias[]? Biases = null,
    [property: Id(10)] int? TopLogProbs = null,
    [property: Id(11)] string[]? Shown = null
)
{
    /// <summary>The engine that alone steers what is said, as devices name it.</summary>
    public const string SteeringEngine = "llama.cpp";

    /// <summary>More than a choice among the likely tokens is asked for, which <see cref="SteeringEngine"/> alone does.</summary>
    public bool IsSteered =>
        Grammar is not null || FrequencyPenalty != 0 || PresencePenalty != 0 || Biases is { Length: > 0 };
}

/// <param name="TokenId">Id in the model's vocabulary.</param>
/// <param name="Bias">Added to its logit; -100 to 100.</param>
[GenerateSerializer, Immutable, Alias("fleet.LogitBias")]
public sealed record LogitBias([property: Id(0)] int TokenId, [property: Id(1)] double Bias);

/// <summary>An interactive request for one model. Exactly one of prompt, token ids and messages is set.</summary>
/// <param name="Chat">What goes with messages; null: nothing.</param>
[GenerateSerializer, Immutable, Alias("fleet.GenerateRequest")]
public sealed record GenerateRequest(
    [property: Id(0)] string RequestId,
    [property: Id(1)] ModelRef Model,
    [property: Id(2)] GenerationParameters Parameters,
    [property: Id(3)] string? Prompt,
    [property: Id(4)] int[]? TokenIds,
    [property: Id(5)] ChatMessage[]? Messages,
    [property: Id(6)] ChatSettings? Chat = null
);

/// <summary>
/// A piece of output. <paramref name="Index"/> counts chunks from 0 so that a consumer can tell a gap from a repeat.
/// The last chunk has a finish reason (stop, length, cancelled) and the usage; others have neither. Where log-probabilities
/// were asked for, it has those of the tokens that begin in its text or before it.
/// </summary>
[GenerateSerializer, Immutable, Alias("fleet.TokenChunk")]
public readonly record struct TokenChunk(
    [property: Id(0)] int Index,
    [property: Id(1)] string Text,
    [property: Id(2)] string? FinishReason,
    [property: Id(3)] int PromptTokens,
    [property: Id(4)] int CompletionTokens,
    [property: Id(5)] TokenLogProb[]? LogProbs = null
);

/// <summary>How likely a token was, before temperature and cuts.</summary>
/// <param name="Bytes">What it stands for, maybe a part of a character.</param>
/// <param name="LogProb">Natural logarithm.</param>
/// <param name="Top">The most likely ones in its place, most likely first, with none of their own.</param>
[GenerateSerializer, Immutable, Alias("fleet.TokenLogProb")]
public sealed record TokenLogProb(
    [property: Id(0)] byte[] Bytes,
    [property: Id(1)] double LogProb,
    [property: Id(2)] TokenLogProb[] Top
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
