namespace EgpuFleet.TestKit.Fleet;

/// <summary>What a process says, in a file; lines of level error and worse are counted, the first ones kept.</summary>
public sealed class ProcessLog : IAsyncDisposable
{
    private const int ErrorsKept = 20;
    private const int TailLines = 20;

    private readonly Lock turn = new();
    private readonly StreamWriter file;
    private readonly List<string> errors = [];
    private bool isClosed;

    public ProcessLog(string path)
    {
        Path = path;
        file = new StreamWriter(path) { AutoFlush = true };
    }

    public string Path { get; }

    public int ErrorCount { get; private set; }

    /// <summary>The first lines of level error or critical.</summary>
    public IReadOnlyList<string> Errors
    {
        get
        {
            lock (turn)
                return [.. errors];
        }
    }

    /// <summary>The last lines.</summary>
    public string Tail()
    {
        using var reader = new StreamReader(
            new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
        );
        return string.Join(Environment.NewLine, reader.ReadToEnd().Split('\n').TakeLast(TailLines));
    }

    public void Note(string line) => Write($"-- {line}");

    public void Follow(StreamReader reader) => _ = CopyAsync(reader);

    public async ValueTask DisposeAsync()
    {
        lock (turn)
            isClosed = true;
        await file.DisposeAsync();
    }

    private async Task CopyAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
            Write(line);
    }

    private void Write(string line)
    {
        lock (turn)
        {
            if (isClosed)
                return;
            file.WriteLine(line);
            if (!IsError(line))
                return;
            ErrorCount++;
            if (errors.Count < ErrorsKept)
                errors.Add(line);
        }
    }

    // The console logger writes "hh:mm:ss.fff fail: category[id] message".
    private static bool IsError(string line) =>
        line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" crit: ", StringComparison.Ordinal);
}
