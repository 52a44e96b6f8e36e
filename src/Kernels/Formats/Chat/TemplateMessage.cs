namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>One message as a template sees it.</summary>
/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Content">Its text.</param>
public sealed record TemplateMessage(string Role, string Content)
{
    /// <summary>What the assistant called; empty of others.</summary>
    public IReadOnlyList<TemplateToolCall> ToolCalls { get; init; } = [];

    /// <summary>Of a tool's message: the call that it answers; null where it is not told.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>What the assistant thought before it answered; null: nothing told.</summary>
    public string? Reasoning { get; init; }
}

/// <param name="Id">By which a tool's message answers it.</param>
/// <param name="Name">Of the function.</param>
/// <param name="Arguments">A JSON object as text.</param>
public sealed record TemplateToolCall(string Id, string Name, string Arguments);
