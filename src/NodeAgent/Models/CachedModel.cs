using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>A model file on this node, complete, of the right content and well-formed; with an adapter's, where there is one.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Hash">SHA-256 of the file.</param>
internal sealed record CachedModel(string Path, string Hash, GgufModelFacts Facts, CachedAdapter? Adapter = null)
{
    /// <summary>Positions each slot gets.</summary>
    public int ContextTokens => ModelMemory.ContextTokens(Facts.ContextLength);

    /// <summary>Memory it takes on a device, as the planner counts it.</summary>
    public long MemoryBytes =>
        ModelMemory.RequiredBytes(
            Facts.WeightBytes + (Adapter?.Bytes ?? 0),
            Facts.KvBytesPerTokenF32,
            Facts.ContextLength
        );

    /// <summary>Whether all its files are still there.</summary>
    public bool IsHere => File.Exists(Path) && (Adapter is null || File.Exists(Adapter.Path));

    /// <summary>How a worker is told to load it.</summary>
    public LoadSpec Spec(int threads) =>
        new(Path, Adapter?.Hash ?? Hash, threads, ContextTokens, ModelMemory.Slots)
        {
            Adapter = Adapter is null ? null : new AdapterFile(Adapter.Path, Hash),
        };

    /// <summary>Reads the file as the hostile thing it is until proven otherwise.</summary>
    /// <exception cref="GgufException">It is no model.</exception>
    public static CachedModel Open(string path, string hash)
    {
        using var file = File.OpenRead(path);
        return new CachedModel(path, hash, GgufModelFacts.From(GgufReader.Open(file)));
    }

    /// <summary>The same for an adapter of this model.</summary>
    /// <exception cref="GgufException">It is no GGUF.</exception>
    /// <exception cref="AdapterException">It is no adapter, or another model's.</exception>
    public CachedModel With(string adapterPath, string adapterHash)
    {
        using var model = File.OpenRead(Path);
        using var adapter = File.OpenRead(adapterPath);
        var facts = GgufAdapter.For(GgufReader.Open(adapter), GgufReader.Open(model), Hash);
        return this with { Adapter = new CachedAdapter(adapterPath, adapterHash, facts.Bytes) };
    }
}

/// <summary>An adapter's file on this node.</summary>
/// <param name="Bytes">Of its weights.</param>
internal sealed record CachedAdapter(string Path, string Hash, long Bytes);
