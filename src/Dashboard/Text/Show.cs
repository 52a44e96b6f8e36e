using EgpuFleet.Api;

namespace EgpuFleet.Dashboard.Text;

/// <summary>Quantities as people read them.</summary>
public static class Show
{
    private static readonly string[] ByteUnits = ["B", "KB", "MB", "GB", "TB", "PB"];

    /// <summary>1,234,567 bytes as <c>1.2 MB</c> (powers of 1,024, as memory is sold).</summary>
    public static string Bytes(long bytes)
    {
        var value = (double)Math.Max(0, bytes);
        var unit = 0;
        for (; value >= 1024 && unit < ByteUnits.Length - 1; unit++)
            value /= 1024;
        return value >= 100 || unit == 0 ? $"{value:0} {ByteUnits[unit]}" : $"{value:0.#} {ByteUnits[unit]}";
    }

    public static string Count(long count) => count.ToString("N0");

    /// <summary>6,800,000 parameters as <c>6.8M</c>.</summary>
    public static string Parameters(long count) =>
        count switch
        {
            >= 1_000_000_000 => $"{count / 1e9:0.#}B",
            >= 1_000_000 => $"{count / 1e6:0.#}M",
            >= 1_000 => $"{count / 1e3:0.#}K",
            _ => Count(count),
        };

    /// <summary>A span by its two largest parts: <c>4 s</c>, <c>3 min 20 s</c>, <c>2 h 5 min</c>, <c>3 d 4 h</c>.</summary>
    public static string Span(TimeSpan span) =>
        span switch
        {
            { TotalSeconds: < 1 } => "less than 1 s",
            { TotalMinutes: < 1 } => $"{span.Seconds} s",
            { TotalHours: < 1 } => span.Seconds == 0 ? $"{span.Minutes} min" : $"{span.Minutes} min {span.Seconds} s",
            { TotalDays: < 1 } => $"{span.Hours} h {span.Minutes} min",
            _ => $"{(int)span.TotalDays} d {span.Hours} h",
        };

    /// <summary>What a device does before it can compute: <c>Fetching big · 30 s · 1 GB of 4 GB · about 1 min 30 s left</c>.</summary>
    public static string BringUp(BringUpInfo bringUp)
    {
        ArgumentNullException.ThrowIfNull(bringUp);
        List<string> parts = [Words(bringUp.Phase), Span(TimeSpan.FromSeconds(bringUp.ElapsedSeconds))];
        if (bringUp is { DoneBytes: { } done, TotalBytes: { } total })
            parts.Add($"{Bytes(done)} of {Bytes(total)}");
        if (bringUp.LeftSeconds is { } left)
            parts.Add($"about {Span(TimeSpan.FromSeconds(left))} left");
        return string.Join(" · ", parts);
    }

    /// <summary>How long ago, by its largest part: a list of ages is scanned, not read.</summary>
    public static string Ago(TimeSpan age) =>
        age switch
        {
            { TotalSeconds: < 2 } => "just now",
            { TotalMinutes: < 1 } => $"{age.Seconds} s ago",
            { TotalHours: < 1 } => $"{age.Minutes} min ago",
            { TotalDays: < 1 } => $"{age.Hours} h ago",
            _ => $"{(int)age.TotalDays} d ago",
        };

    public static string Speed(double tokensPerSecond) =>
        tokensPerSecond >= 100 ? $"{tokensPerSecond:N0}" : $"{tokensPerSecond:0.#}";

    /// <summary><c>shard_started</c> as <c>Shard started</c>.</summary>
    public static string Words(string name)
    {
        var words = name.Replace('_', ' ');
        return words.Length == 0 ? words : char.ToUpperInvariant(words[0]) + words[1..];
    }

    /// <summary>A job's id by its end: ids begin with their time, so jobs of one day begin alike.</summary>
    public static string JobName(string id) => id.Length <= 20 ? id : $"job …{id[^8..]}";

    /// <summary>Percent of a whole that may be zero, within 0 to 100.</summary>
    public static double Percent(double part, double whole) => whole <= 0 ? 0 : Math.Clamp(100 * part / whole, 0, 100);

    /// <summary>The first characters of a long text; a character of two code units is never cut in half.</summary>
    public static string Shorten(string text, int characters)
    {
        if (text.Length <= characters)
            return text;
        var end = char.IsHighSurrogate(text[characters - 1]) ? characters - 1 : characters;
        return text[..end].TrimEnd() + "…";
    }
}
