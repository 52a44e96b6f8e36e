namespace EgpuFleet.Kernels.Engines;

/// <summary>What a text is in the space of its model.</summary>
/// <param name="Vector">32-bit floats, little-endian, of length 1 together.</param>
/// <param name="Tokens">Of the text, with those that the model adds.</param>
public sealed record Embedding(byte[] Vector, int Tokens);
