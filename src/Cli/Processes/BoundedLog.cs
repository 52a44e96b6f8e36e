namespace EgpuFleet.Cli.Processes;

/// <summary>A log file that is set aside once when it is full; the last lines stay at hand for an error message.</summary>
internal sealed class BoundedLog(string path, TimeProvider clock) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Queue<string> _tail = new();
    private StreamWriter? _writer;

    public string Path { get; } = path;

    public IReadOnlyList<string> Tail
    {
        get
        {
            lock (_gate)
                return [.. _tail];
        }
    }

    public void Write(string line)
    {
        if (line.Length > Limits.LogLineCharsMax)
            line = line[..Limits.LogLineCharsMax] + "…";
        lock (_gate)
        {
            _tail.Enqueue(line);
            if (_tail.Count > Limits.LogLinesQuoted)
                _tail.Dequeue();
            _writer ??= Open();
            _writer.WriteLine($"{clock.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {line}");
            if (_writer.BaseStream.Position <= Limits.LogBytesMax)
                return;
            _writer.Dispose();
            _writer = null;
            File.Move(Path, Path + ".1", overwrite: true);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _writer?.Dispose();
            _writer = null;
        }
    }

    private StreamWriter Open()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        return new StreamWriter(Path, options) { AutoFlush = true };
    }
}
