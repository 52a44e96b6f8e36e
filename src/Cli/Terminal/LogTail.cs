namespace EgpuFleet.Cli.Terminal;

/// <summary>The last lines of a growing file, and what is added to it.</summary>
internal static class LogTail
{
    public static void Show(string path, int lines, TextWriter output)
    {
        foreach (var line in Read(path).TakeLast(lines))
            output.WriteLine(line);
    }

    /// <summary>Until cancelled. A file that was set aside for a new one is read from the new one's start.</summary>
    public static async Task FollowAsync(
        string path,
        int lines,
        TextWriter output,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        Show(path, lines, output);
        var position = new FileInfo(path).Length;
        while (!cancellationToken.IsCancellationRequested)
        {
            // A file tells nobody that it has grown; a look a few times a second costs nothing.
            await Task.Delay(Limits.LogInterval, clock, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var length = File.Exists(path) ? new FileInfo(path).Length : position;
            if (length < position)
                position = 0;
            if (length == position)
                continue;
            await using var file = Open(path);
            file.Position = position;
            using var reader = new StreamReader(file);
            await output.WriteAsync(await reader.ReadToEndAsync(CancellationToken.None));
            position = file.Position;
        }
    }

    private static IEnumerable<string> Read(string path)
    {
        using var reader = new StreamReader(Open(path));
        while (reader.ReadLine() is { } line)
            yield return line;
    }

    private static FileStream Open(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
}
