namespace EgpuFleet.Grains.Interfaces.Checkpoints;

/// <summary>Whether a manifest is one, before anybody looks for its chunks.</summary>
public static class ManifestRules
{
    /// <summary>Means something else in a file of safetensors, as which a checkpoint is exported.</summary>
    private const string ReservedName = "__metadata__";

    /// <summary>What is wrong, in words; null when nothing is.</summary>
    public static string? Fault(Manifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (manifest.Tensors.Count is 0 or > CheckpointLimits.Tensors)
            return $"it must have 1 to {CheckpointLimits.Tensors} tensors";
        var names = new HashSet<string>(StringComparer.Ordinal);
        var chunks = 0L;
        foreach (var tensor in manifest.Tensors)
        {
            if (tensor is null)
                return "a tensor is null";
            if (!IsName(tensor.Name))
                return $"a tensor's name must have 1 to {CheckpointLimits.NameLength} printable ASCII characters";
            if (tensor.Name == ReservedName)
                return $"no tensor may be called {ReservedName}";
            if (!names.Add(tensor.Name))
                return $"two tensors are called {tensor.Name}";
            if (FaultOf(tensor) is { } fault)
                return $"{tensor.Name}: {fault}";
            chunks += tensor.ChunkCount;
        }
        return chunks > CheckpointLimits.Chunks
            ? $"it has more than {CheckpointLimits.Chunks} chunks"
            : FaultOf(manifest.Metadata);
    }

    /// <summary>The same for the figures that go with it.</summary>
    public static string? Fault(IReadOnlyDictionary<string, double> metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        if (metrics.Count > CheckpointLimits.Metrics)
            return $"it has more than {CheckpointLimits.Metrics} metrics";
        return metrics.All(metric =>
            IsName(metric.Key) && metric.Key.Length <= CheckpointLimits.Metrics && double.IsFinite(metric.Value)
        )
            ? null
            : $"a metric is a finite number with a name of 1 to {CheckpointLimits.Metrics} printable ASCII characters";
    }

    private static string? FaultOf(IReadOnlyDictionary<string, string>? metadata)
    {
        if (metadata is null)
            return "its metadata is null";
        if (metadata.Count > CheckpointLimits.MetadataEntries)
            return $"its metadata has more than {CheckpointLimits.MetadataEntries} entries";
        if (metadata.Any(entry => !IsName(entry.Key) || entry.Value is null))
            return $"an entry of its metadata is a text with a name of 1 to {CheckpointLimits.NameLength} printable ASCII characters";
        return metadata.Sum(entry => entry.Key.Length + (long)entry.Value.Length) > CheckpointLimits.MetadataCharacters
            ? $"its metadata has more than {CheckpointLimits.MetadataCharacters} characters"
            : null;
    }

    private static string? FaultOf(ManifestTensor tensor)
    {
        if (!Enum.IsDefined(tensor.Type))
            return "its element type is unknown";
        if (tensor.Shape is null || tensor.Shape.Count > CheckpointLimits.Dimensions || tensor.Shape.Any(n => n < 0))
            return $"its shape must have at most {CheckpointLimits.Dimensions} dimensions, none negative";
        if (tensor.ChunkBytes is < CheckpointLimits.ChunkBytesMin or > CheckpointLimits.ChunkBytesMax)
            return $"its chunks must have {CheckpointLimits.ChunkBytesMin} to {CheckpointLimits.ChunkBytesMax} bytes";
        var bytes = Bytes(tensor);
        if (bytes is null || bytes != tensor.SizeBytes)
            return $"its size is {tensor.SizeBytes}, which is not that of its shape";
        if (tensor.Hashes is null || tensor.Hashes.LongLength != tensor.ChunkCount * ChunkHash.Bytes)
            return $"it has {tensor.ChunkCount} chunks and not as many hashes";
        return null;
    }

    /// <summary>Null when it is more than any checkpoint holds.</summary>
    private static long? Bytes(ManifestTensor tensor)
    {
        const long Most = (long)CheckpointLimits.Chunks * CheckpointLimits.ChunkBytesMax;
        UInt128 bytes = (UInt128)ManifestTensor.Width(tensor.Type);
        foreach (var size in tensor.Shape)
        {
            bytes *= (ulong)size;
            if (bytes > Most)
                return null;
        }
        return (long)bytes;
    }

    private static bool IsName(string? name) =>
        name is { Length: > 0 and <= CheckpointLimits.NameLength } && name.All(c => c is > ' ' and <= '~');
}
