namespace EgpuFleet.Cli.Testing;

/// <summary>The last lines a process printed.</summary>
/// <param name="echo">Gets every line as it comes; null: nobody does.</param>
internal sealed class OutputTail(Action<string>? echo = null)
{
    private const int LinesKept = 40;

    private readonly Queue<string> _lines = new();
    private readonly Lock _gate = new();

    public async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            echo?.Invoke(line);
            lock (_gate)
            {
                _lines.Enqueue(line);
                if (_lines.Count > LinesKept)
                    _lines.Dequeue();
            }
        }
    }

    public override string ToString()
    {
        lock (_gate)
            return string.Join('\n', _lines);
    }
}
