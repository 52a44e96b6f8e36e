using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>A model file on this node, complete, of the right content and well-formed.</summary>
/// <param name="Path">Absolute.</param>
internal sealed record CachedModel(string Path, GgufModelFacts Facts)
{
    /// <summary>Positions each slot gets.</summary>
    public int ContextTokens => ModelMemory.ContextTokens(Facts.ContextLength);

    /// <summary>Memory it takes on a device, as the planner counts it.</summary>
    public long MemoryBytes =>
        ModelMemory.RequiredBytes(Facts.WeightBytes, Facts.KvBytesPerTokenF32, Facts.ContextLength);

    /// <summary>Reads the file as the hostile thing it is until proven otherwise.</summary>
    /// <exception cref="GgufException">It is no model.</exception>
    public static CachedModel Open(string path)
    {
        using var file = File.OpenRead(path);
        return new CachedModel(path, GgufModelFacts.From(GgufReader.Open(file)));
    }
}
