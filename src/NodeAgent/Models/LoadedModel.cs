using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>A model in a worker.</summary>
internal sealed class LoadedModel(CachedModel file, ModelInfo info)
{
    public string Hash { get; } = info.ContentHash;

    public ModelInfo Info => info;

    public CachedModel File => file;

    /// <summary>Hashes of the files that the worker has open for it.</summary>
    public IReadOnlyList<string> Files { get; } = file.Adapter is { } adapter ? [file.Hash, adapter.Hash] : [file.Hash];

    public int Uses { get; set; }

    public long LastUsed { get; set; }

    /// <summary>Memory of several models in one worker: a base and its adapters have its weights once.</summary>
    public static long BytesOf(IEnumerable<CachedModel> files)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        return files.Sum(file => known.Add(file.Hash) ? file.MemoryBytes : file.MemoryBytes - file.Facts.WeightBytes);
    }
}
