namespace EgpuFleet.Cli.Engines;

/// <summary>Writes what a program says to a log, both its streams, and keeps the last lines to quote.</summary>
internal sealed class LineTail(TextWriter log)
{
    private readonly Lock _turn = new();
    private readonly Queue<string> _lines = new();

    /// <summary>The last lines that are not empty, each cut to a length that can be shown.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_turn)
                return [.. _lines];
        }
    }

    /// <summary>The very last of them; null while it has said nothing.</summary>
    public string? Last => Lines is [.., var last] ? last : null;

    /// <summary>Returns when the stream ends.</summary>
    public async Task FollowAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            lock (_turn)
            {
                log.WriteLine(line);
                if (line.Length == 0)
                    continue;
                _lines.Enqueue(line[..Math.Min(line.Length, Limits.InstallLineChars)]);
                if (_lines.Count > Limits.LogLinesQuoted)
                    _lines.Dequeue();
            }
        }
    }
}
