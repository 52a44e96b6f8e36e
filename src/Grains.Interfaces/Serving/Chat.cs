namespace EgpuFleet.Grains.Interfaces.Serving;

/// <summary>One chat message.</summary>
/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="ToolCalls">What the assistant called; null: nothing.</param>
/// <param name="ToolCallId">Of a tool's message: the call that it answers.</param>
/// <param name="Reasoning">What the assistant thought before it answered; null: nothing told.</param>
[GenerateSerializer, Immutable, Alias("fleet.ChatMessage")]
public sealed record ChatMessage(
    [property: Id(0)] string Role,
    [property: Id(1)] string Content,
    [property: Id(2)] ToolCall[]? ToolCalls = null,
    [property: Id(3)] string? ToolCallId = null,
    [property: Id(4)] string? Reasoning = null
);

/// <summary>A call of a function by the assistant.</summary>
/// <param name="Id">By which a tool's message answers it.</param>
/// <param name="Arguments">A JSON object as text.</param>
[GenerateSerializer, Immutable, Alias("fleet.ToolCall")]
public sealed record ToolCall(
    [property: Id(0)] string Id,
    [property: Id(1)] string Name,
    [property: Id(2)] string Arguments
);

/// <summary>What a chat's template is told beside the messages.</summary>
/// <param name="Tools">A JSON array of functions, as OpenAI writes tools; null: none.</param>
/// <param name="Thinking">Whether the model is to think first, where its template asks; null: as the template has it.</param>
[GenerateSerializer, Immutable, Alias("fleet.ChatSettings")]
public sealed record ChatSettings([property: Id(0)] string? Tools = null, [property: Id(1)] bool? Thinking = null);
