namespace EgpuFleet.Kernels.Formats.Safetensors;

/// <summary>The file, or folder of files, is not safetensors that this project accepts.</summary>
/// <param name="code">One of <see cref="SafetensorsFault"/>: stable, for programs.</param>
/// <param name="message">What is wrong and where, for people.</param>
public sealed class SafetensorsException(string code, string message) : Exception(message)
{
    /// <summary>One of <see cref="SafetensorsFault"/>.</summary>
    public string Code { get; } = code;
}
