namespace EgpuFleet.Kernels.Drivers;

/// <summary>Reads the text of <c>/proc/cpuinfo</c>.</summary>
internal static class LinuxCpuInfo
{
    /// <summary>The first processor's model; null where the architecture does not name one (ARM).</summary>
    public static string? Model(string cpuInfo)
    {
        foreach (var line in cpuInfo.AsSpan().EnumerateLines())
        {
            var colon = line.IndexOf(':');
            if (colon > 0 && line[..colon].Trim() is "model name" && !line[(colon + 1)..].IsWhiteSpace())
                return line[(colon + 1)..].Trim().ToString();
        }
        return null;
    }
}
