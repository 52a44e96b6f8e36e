namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>What a template is told of its model's vocabulary.</summary>
/// <param name="Bos">Text of the token that a text begins with; empty where there is none.</param>
/// <param name="Eos">Text of the token that a text ends with; empty where there is none.</param>
public sealed record TemplateTokens(string Bos = "", string Eos = "");
