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

/// <param name="Content">Null where nothing is said beside calls.</param>
public sealed record AssistantMessage(
    string Role,
    string? Content,
    string? Refusal = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        IReadOnlyList<ChatToolCall>? ToolCalls = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ReasoningContent = null
);

/// <summary>A call of a tool.</summary>
public sealed record ChatToolCall(string Id, string Type, ChatFunction Function);

/// <param name="Arguments">JSON as text.</param>
public sealed record ChatFunction(string Name, string Arguments);

public sealed record ChatChunkChoice(int Index, ChatDelta Delta, ChatLogProbs? Logprobs, string? FinishReason);

/// <summary>What a chunk adds; a field that adds nothing is left out.</summary>
public sealed record ChatDelta(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Role = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Content = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        IReadOnlyList<ChatToolCallDelta>? ToolCalls = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ReasoningContent = null
);

/// <summary>What a chunk adds to a call: the first its id, type and name, the others arguments.</summary>
public sealed record ChatToolCallDelta(
    int Index,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Id,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Type,
    ChatFunctionDelta Function
);

public sealed record ChatFunctionDelta(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Name,
    string Arguments
);

public sealed record TextChoice(string Text, int Index, TextLogProbs? Logprobs, string? FinishReason);
