using System.Globalization;

namespace EgpuFleet.Kernels.Drivers;

/// <summary>Main memory of this machine, as far as this process may use it.</summary>
/// <param name="TotalBytes">Physical memory, or the container's limit where that is less.</param>
/// <param name="AvailableBytes">Free, or freed by the system on demand (file cache).</param>
public sealed record HostMemory(long TotalBytes, long AvailableBytes)
{
    private const long BytesPerKibibyte = 1024;

    public static HostMemory Read()
    {
        // The runtime knows the container's limit, whichever version of cgroups set it.
        var allowed = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var machine = OperatingSystem.IsLinux() ? FromMemInfo(File.ReadAllText("/proc/meminfo")) : FromSysctl();
        return new HostMemory(Math.Min(machine.TotalBytes, allowed), Math.Min(machine.AvailableBytes, allowed));
    }

    /// <summary>Reads the text of <c>/proc/meminfo</c>.</summary>
    internal static HostMemory FromMemInfo(string memInfo) =>
        new(Field(memInfo, "MemTotal"), Field(memInfo, "MemAvailable"));

    private static HostMemory FromSysctl()
    {
        var free = MacSysctl.Number("vm.page_free_count") + MacSysctl.Number("vm.page_purgeable_count");
        var reclaimable = free + MacSysctl.Number("vm.page_pageable_external_count");
        return new HostMemory(MacSysctl.Number("hw.memsize"), reclaimable * Environment.SystemPageSize);
    }

    private static long Field(string memInfo, string name)
    {
        foreach (var line in memInfo.AsSpan().EnumerateLines())
        {
            if (!line.StartsWith(name) || line[name.Length] != ':')
                continue;
            var value = line[(name.Length + 1)..].Trim();
            var space = value.IndexOf(' ');
            var kibibytes = long.Parse(space < 0 ? value : value[..space], CultureInfo.InvariantCulture);
            return kibibytes * BytesPerKibibyte;
        }
        throw new InvalidDataException($"/proc/meminfo has no line {name}.");
    }
}
