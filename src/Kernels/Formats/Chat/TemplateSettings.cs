namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>What a template is told beside the messages.</summary>
/// <param name="Tools">A JSON array of functions, as OpenAI writes tools; null: none.</param>
/// <param name="Thinking">Whether the model is to think first, where its template asks; null: as the template has it.</param>
public sealed record TemplateSettings(string? Tools = null, bool? Thinking = null);
