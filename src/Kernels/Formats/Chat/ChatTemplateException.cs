namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>A chat template cannot be used, or not for this conversation.</summary>
/// <param name="code">One of <see cref="ChatTemplateFault"/>: stable, for programs.</param>
/// <param name="message">What is wrong, for people.</param>
public sealed class ChatTemplateException(string code, string message) : Exception(message)
{
    /// <summary>One of <see cref="ChatTemplateFault"/>.</summary>
    public string Code { get; } = code;
}
