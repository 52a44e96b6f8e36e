using System.Collections.Concurrent;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.NodeAgent.Hosting;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>
/// The folder of model files, kept within a size: the least recently used file that no worker has loaded goes first. A file's
/// modification time is when it was last used.
/// </summary>
internal sealed class ModelShelf
{
    private const string Complete = ".gguf";

    private const string Partial = ".part";

    private readonly string folder;
    private readonly long limitBytes;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<string, int> loaded = new(StringComparer.Ordinal);

    public ModelShelf(string folder, long limitBytes, TimeProvider time)
    {
        this.folder = folder;
        this.limitBytes = limitBytes;
        this.time = time;
        DataFolder.CreatePrivate(folder);
    }

    public string PathOf(string sha256) => Path.Combine(folder, sha256 + Complete);

    public string PartialOf(string sha256) => Path.Combine(folder, sha256 + Partial);

    /// <summary>A file that is here already, or null.</summary>
    public CachedModel? Find(string sha256)
    {
        try
        {
            return BaseOf(PathOf(sha256)) is { } known
                ? CachedModel.Open(PathOf(known), known).With(PathOf(sha256), sha256)
                : CachedModel.Open(PathOf(sha256), sha256);
        }
        catch (Exception e) when (e is IOException or GgufException or AdapterException)
        {
            // A worker's model whose file is gone or spoilt is simply not kept.
            return null;
        }
    }

    /// <summary>Of an adapter's file, the hash of its base; null of a model's.</summary>
    private static string? BaseOf(string path)
    {
        using var file = File.OpenRead(path);
        var reader = GgufReader.Open(file);
        return GgufAdapter.IsOne(reader) ? GgufAdapter.From(reader).BaseSha256 : null;
    }

    public void Touch(string path) => File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);

    /// <summary>Says that a worker has the file open: it is not removed until <see cref="Release"/>.</summary>
    public void Hold(string sha256) => loaded.AddOrUpdate(sha256, 1, (_, holders) => holders + 1);

    public void Release(string sha256) => loaded.AddOrUpdate(sha256, 0, (_, holders) => Math.Max(0, holders - 1));

    /// <summary>Removes files until the model fits beside the rest.</summary>
    /// <exception cref="Grains.Interfaces.Serving.GenerationException">It does not fit.</exception>
    public void MakeRoom(ModelRef model)
    {
        var files = new DirectoryInfo(folder)
            .GetFiles()
            .Where(file => Path.GetFileNameWithoutExtension(file.Name) != model.Sha256)
            .OrderBy(file => file.LastWriteTimeUtc)
            .ToList();
        var taken = files.Sum(file => file.Length);
        foreach (var file in files)
        {
            if (taken + model.SizeBytes <= limitBytes)
                break;
            if (loaded.GetValueOrDefault(Path.GetFileNameWithoutExtension(file.Name)) > 0)
                continue;
            taken -= file.Length;
            file.Delete();
        }
        if (taken + model.SizeBytes > limitBytes)
            throw ModelFailures.DiskFull(model, $"models may take {limitBytes} bytes here and {taken} are in use.");
        var free = new DriveInfo(folder).AvailableFreeSpace;
        if (free - model.SizeBytes < Limits.DiskReserveBytes)
            throw ModelFailures.DiskFull(model, $"the disk has {free} bytes left.");
    }
}
