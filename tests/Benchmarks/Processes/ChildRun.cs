using System.Diagnostics;
using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Benchmarks.Processes;

/// <summary>A child that runs to its end and says something on its output, line by line.</summary>
internal static class ChildRun
{
    /// <summary>This very program, for its other verbs.</summary>
    public static string Self { get; } = Path.Combine(AppContext.BaseDirectory, "EgpuFleet.Benchmarks");

    /// <summary>Names the environment variable that tells a child its task: unlike arguments, nobody else can read it.</summary>
    public const string TaskVariable = "EGPUFLEET_BENCH_TASK";

    /// <summary>Returns its last line of output; every line passes through <paramref name="see"/>.</summary>
    /// <exception cref="FleetFailure">It failed, or took too long.</exception>
    public static async Task<string> RunAsync(
        ProcessStartInfo start,
        Action<string>? see,
        CancellationToken cancellationToken
    )
    {
        var what = Path.GetFileName(start.FileName);
        start.UseShellExecute = false;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limits.ChildTimeout);
        using var process = Process.Start(start) ?? throw new FleetFailure($"{what} did not start.");
        try
        {
            var errors = ErrorsAsync(process.StandardError, limit.Token);
            string? last = null;
            while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                last = line;
                see?.Invoke(line);
            }
            await process.WaitForExitAsync(limit.Token);
            if (process.ExitCode == 0 && last is not null)
                return last;
            throw new FleetFailure($"{what} ended with status {process.ExitCode}:{Quoted(await errors)}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new FleetFailure($"{what} did not end within {Limits.ChildTimeout.TotalMinutes:0} minutes.");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static async Task<Queue<string>> ErrorsAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var lines = new Queue<string>();
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            lines.Enqueue(line);
            if (lines.Count > Limits.ErrorLinesQuoted)
                lines.Dequeue();
        }
        return lines;
    }

    private static string Quoted(IEnumerable<string> lines) =>
        string.Concat(lines.Select(line => $"{Environment.NewLine}  | {line}"));
}
