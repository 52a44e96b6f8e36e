namespace EgpuFleet.Cli.Terminal;

/// <summary>How quantities are written for people.</summary>
internal static class Format
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

    public static string Bytes(long bytes)
    {
        double value = bytes;
        var unit = 0;
        for (; value >= 1024 && unit < Units.Length - 1; unit++)
            value /= 1024;
        return unit == 0 ? $"{bytes} B" : $"{value:0.0} {Units[unit]}";
    }

    public static string Time(DateTimeOffset? at) => at is { } time ? $"{time.ToLocalTime():yyyy-MM-dd HH:mm:ss}" : "-";

    public static string Seconds(TimeSpan time) => $"{time.TotalSeconds:0.0} s";
}
