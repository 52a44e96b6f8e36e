namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>Not an adapter, or trained weights, that can be exported or served.</summary>
/// <param name="code">One of <see cref="AdapterFault"/>: stable, for programs.</param>
/// <param name="message">What is wrong and where, for people.</param>
public sealed class AdapterException(string code, string message) : Exception(message)
{
    /// <summary>One of <see cref="AdapterFault"/>.</summary>
    public string Code { get; } = code;
}
