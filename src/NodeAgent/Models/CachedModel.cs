using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>A model file on this node, complete, of the right content and well-formed.</summary>
/// <param name="Path">Absolute.</param>
internal sealed record CachedModel(string Path, GgufModelFacts Facts)
{
    /// <summary>Positions each slot gets on every device of the fleet; the planner counts with the same.</summary>
    public int ContextTokens => Math.Min(Facts.ContextLength, Limits.ContextTokens);

    /// <summary>Memory it takes on a device: weights, 32-bit KV of all slots, and the engine's buffers. The planner's formula.</summary>
    public long MemoryBytes =>
        (long)
            Int128.Min(
                Facts.WeightBytes
                    + ((Int128)Facts.KvBytesPerTokenF32 * ContextTokens * Limits.Slots)
                    + Limits.ModelReserveBytes,
                long.MaxValue
            );

    /// <summary>Reads the file as the hostile thing it is until proven otherwise.</summary>
    /// <exception cref="GgufException">It is no model.</exception>
    public static CachedModel Open(string path)
    {
        using var file = File.OpenRead(path);
        return new CachedModel(path, GgufModelFacts.From(GgufReader.Open(file)));
    }
}
