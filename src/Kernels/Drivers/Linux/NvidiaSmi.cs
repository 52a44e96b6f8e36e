namespace EgpuFleet.Kernels.Drivers.Linux;

/// <summary>A GPU as Nvidia's tool lists it.</summary>
/// <param name="Address">As in sysfs: <c>0000:01:00.0</c>.</param>
/// <param name="MemoryBytes">Of the card; null where the tool does not say.</param>
public sealed record NvidiaGpu(string Address, string Name, long? MemoryBytes, string DriverVersion);

/// <summary>Reads <c>nvidia-smi --query-gpu=… --format=csv,noheader,nounits</c>.</summary>
public static class NvidiaSmi
{
    /// <summary>Fields asked for, in the order in which they are read.</summary>
    public const string Fields = "pci.bus_id,memory.total,driver_version,name";

    private const long BytesPerMebibyte = 1024 * 1024;

    /// <summary>The rows that have the form of one; none where the tool failed, which it says in words.</summary>
    public static IReadOnlyList<NvidiaGpu> Parse(string text)
    {
        var gpus = new List<NvidiaGpu>();
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            // The name is the last field, so that a comma in it does no harm.
            var fields = line.ToString().Split(',', 4, StringSplitOptions.TrimEntries);
            if (fields.Length == 4 && Address(fields[0]) is { } address && gpus.Count < Limits.Gpus)
            {
                gpus.Add(
                    new NvidiaGpu(
                        address,
                        DisplayNumbers.Plain(fields[3]) ?? "Nvidia GPU",
                        DisplayNumbers.Bytes(fields[1], BytesPerMebibyte),
                        DisplayNumbers.Plain(fields[2]) ?? ""
                    )
                );
            }
        }
        return gpus;
    }

    /// <summary>The tool writes the domain with eight digits, sysfs with four.</summary>
    private static string? Address(string busId)
    {
        var parts = busId.Split(':');
        return
            parts.Length == 3
            && parts.All(part => part.Length is > 0 and <= 8)
            && DisplayNumbers.Hex(parts[0]) is { } domain
            ? $"{domain:x4}:{parts[1]}:{parts[2]}".ToLowerInvariant()
            : null;
    }
}
