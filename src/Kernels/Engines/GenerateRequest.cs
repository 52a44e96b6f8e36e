using System.Text.Json.Serialization;

namespace EgpuFleet.Kernels.Engines;

/// <summary>One generation on one loaded model.</summary>
/// <param name="ContentHash">Which loaded model.</param>
/// <param name="Prompt">Text, token ids or chat messages.</param>
/// <param name="Options">When to stop and how to sample.</param>
/// <param name="Priority">Interactive requests get a free slot before batch requests do; first come, first served within each.</param>
public sealed record GenerateRequest(
    string ContentHash,
    Prompt Prompt,
    GenerationOptions Options,
    GenerationPriority Priority = GenerationPriority.Batch
);

public enum GenerationPriority
{
    Batch,
    Interactive,
}

/// <summary>What the model continues.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(TextPrompt), "text")]
[JsonDerivedType(typeof(TokenPrompt), "tokens")]
[JsonDerivedType(typeof(ChatPrompt), "messages")]
public abstract record Prompt;

/// <summary>Text, tokenised with BOS and space prefix as the GGUF says. Empty: the model starts from BOS alone.</summary>
public sealed record TextPrompt(string Text) : Prompt;

/// <summary>Token ids as they are, nothing added. Empty: the model starts from BOS alone.</summary>
public sealed record TokenPrompt(IReadOnlyList<int> TokenIds) : Prompt;

/// <summary>Chat messages, rendered with the model's own template in the worker, ending where the assistant speaks.</summary>
public sealed record ChatPrompt(IReadOnlyList<ChatMessage> Messages) : Prompt
{
    /// <summary>A JSON array of functions that may be called, as OpenAI writes tools; null: none.</summary>
    public string? Tools { get; init; }

    /// <summary>Whether the model is to think first, where its template asks; null: as the template has it.</summary>
    public bool? Thinking { get; init; }
}

/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Content">Plain text.</param>
public sealed record ChatMessage(string Role, string Content)
{
    /// <summary>What the assistant called; null: nothing.</summary>
    public IReadOnlyList<ToolCall>? ToolCalls { get; init; }

    /// <summary>Of a tool's message: the call that it answers.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>What the assistant thought before it answered; null: nothing told.</summary>
    public string? Reasoning { get; init; }
}

/// <param name="Id">By which a tool's message answers it.</param>
/// <param name="Name">Of the function.</param>
/// <param name="Arguments">A JSON object as text.</param>
public sealed record ToolCall(string Id, string Name, string Arguments);

/// <summary>When to stop and how to sample.</summary>
/// <param name="MaxTokens">Most tokens to generate; null: what is left of the context.</param>
/// <param name="Temperature">0: the most likely token, the lowest id on ties. Otherwise 0 to 2.</param>
/// <param name="TopP">Sample among the most likely tokens that together reach this probability, over 0 to 1.</param>
/// <param name="TopK">Sample among this many most likely tokens; 0: all.</param>
/// <param name="Seed">Random numbers are keyed by (seed, index of the token), so that a result does not depend on the batch.</param>
public sealed record GenerationOptions(
    int? MaxTokens = null,
    double Temperature = 0,
    double TopP = 1,
    int TopK = 0,
    ulong Seed = 0
)
{
    /// <summary>The text ends before the first of these; no part of one is ever emitted.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Names of control tokens that the text has too, such as those around a call of a tool.</summary>
    public IReadOnlyList<string> ShownTokens { get; init; } = [];

    /// <summary>Tell every token's log-probability, and those of this many most likely tokens in its place; null: none.</summary>
    public int? TopLogProbs { get; init; }

    /// <summary>Taken off the logit of a token for each time that the completion has it already; -2 to 2.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Taken off the logit of a token that the completion has already, however often; -2 to 2.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Added to logits, a token once; -100 to 100. They travel beside the options, which are small.</summary>
    [JsonIgnore]
    public IReadOnlyList<LogitBias> LogitBiases { get; init; } = [];

    /// <summary>Whether the model's logits are changed before one is chosen, which takes <see cref="EngineCapabilities.LogitRules"/>.</summary>
    [JsonIgnore]
    public bool HasLogitRules => FrequencyPenalty != 0 || PresencePenalty != 0 || LogitBiases.Count > 0;

    /// <summary>
    /// GBNF whose rule <c>root</c> the text is held to, up to where another bound cuts it; null: any text. It travels beside the
    /// options, which are small.
    /// </summary>
    [JsonIgnore]
    public string? Grammar { get; init; }
}

/// <param name="TokenId">Id in the model's vocabulary.</param>
/// <param name="Bias">What is added to its logit.</param>
public sealed record LogitBias(int TokenId, double Bias);
