namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>The file is not a GGUF that this project accepts.</summary>
/// <param name="code">One of <see cref="GgufFault"/>: stable, for programs.</param>
/// <param name="message">What is wrong and where, for people.</param>
public sealed class GgufException(string code, string message) : Exception(message)
{
    /// <summary>One of <see cref="GgufFault"/>.</summary>
    public string Code { get; } = code;
}
