using System.Text.Json.Serialization;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>Token counts as OpenAI gives them.</summary>
public sealed record Usage(int PromptTokens, int CompletionTokens, int TotalTokens)
{
    public static Usage Of(int prompt, int completion) => new(prompt, completion, prompt + completion);
}

/// <summary>Answer, or one event of the stream, of a chat or a completion.</summary>
public sealed record Answer<TChoice>(
    string Id,
    string Object,
    long Created,
    string Model,
    IReadOnlyList<TChoice> Choices,
    Usage? Usage,
    string? SystemFingerprint = null
);

public sealed record ChatChoice(int Index, AssistantMessage Message, ChatLogProbs? Logprobs, string FinishReason);

public sealed record AssistantMessage(string Role, string Content, string? Refusal = null);

public sealed record ChatChunkChoice(int Index, ChatDelta Delta, ChatLogProbs? Logprobs, string? FinishReason);

/// <summary>What a chunk adds; a field that adds nothing is left out.</summary>
public sealed record ChatDelta(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Role,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Content
);

public sealed record TextChoice(string Text, int Index, TextLogProbs? Logprobs, string? FinishReason);
