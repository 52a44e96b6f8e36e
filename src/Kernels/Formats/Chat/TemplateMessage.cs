namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>One message as a template sees it.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">Its text.</param>
public sealed record TemplateMessage(string Role, string Content);
