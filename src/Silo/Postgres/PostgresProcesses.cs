using System.Diagnostics;
using System.Globalization;
using Polly;
using Polly.Retry;

namespace EgpuFleet.Silo.Postgres;

/// <summary>
/// Server processes of one data directory. Postmaster and backends keep it as their working folder, which tells them
/// from any other process that got a recycled process id, and from servers of other directories.
/// </summary>
internal static class PostgresProcesses
{
    private const string ServerName = "postgres";
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Process ids of every live server process whose working folder is <paramref name="dataDirectory"/> (a real path).</summary>
    public static async Task<IReadOnlyList<int>> InAsync(string dataDirectory, CancellationToken cancellationToken) =>
        OperatingSystem.IsLinux() ? FromProc(dataDirectory) : await FromLsofAsync(dataDirectory, cancellationToken);

    /// <summary>
    /// Waits until no server process of the directory is left, and kills those that outlive the grace. Asks the process
    /// table again and again: the kernel signals the end of a process only to its parent, and under a parent that
    /// collects no children a dead one keeps its number.
    /// </summary>
    /// <exception cref="EmbeddedPostgresException">They do not even end when killed.</exception>
    public static async Task EndAsync(string dataDirectory, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (await GoneWithinAsync(dataDirectory, grace, cancellationToken))
            return;
        foreach (var id in await InAsync(dataDirectory, cancellationToken))
            Kill(id);
        if (!await GoneWithinAsync(dataDirectory, Limits.PostgresStopTimeout, cancellationToken))
        {
            throw new EmbeddedPostgresException(
                EmbeddedPostgresFault.StopFailed,
                $"Postgres processes of {dataDirectory} do not end."
            );
        }
    }

    private static async Task<bool> GoneWithinAsync(
        string dataDirectory,
        TimeSpan time,
        CancellationToken cancellationToken
    )
    {
        var pipeline = new ResiliencePipelineBuilder<int>()
            .AddRetry(
                new RetryStrategyOptions<int>
                {
                    ShouldHandle = new PredicateBuilder<int>().HandleResult(count => count > 0),
                    MaxRetryAttempts = (int)(time / PollInterval),
                    Delay = PollInterval,
                }
            )
            .Build();
        return await pipeline.ExecuteAsync(
                async token => (await InAsync(dataDirectory, token)).Count,
                cancellationToken
            ) == 0;
    }

    private static void Kill(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // Gone already, which is what was wanted.
        }
    }

    /// <summary>
    /// Removes the <c>postmaster.pid</c> of a dead postmaster, which the server itself refuses to do where its process
    /// id has been given to another process. Elsewhere than on Linux a process named postgres keeps its file.
    /// </summary>
    public static void RemoveStale(string dataDirectory, int processId)
    {
        if (OperatingSystem.IsLinux() || !IsNamedServer(processId))
            File.Delete(PostmasterFile.PathIn(dataDirectory));
    }

    private static bool IsNamedServer(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return process.ProcessName == ServerName;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }

    private static List<int> FromProc(string dataDirectory)
    {
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id))
                continue;
            try
            {
                var program = new FileInfo(Path.Combine(folder, "exe")).LinkTarget ?? "";
                // An upgrade of the package leaves running servers with a deleted executable.
                program = program.Replace(" (deleted)", "", StringComparison.Ordinal);
                if (
                    Path.GetFileName(program) == ServerName
                    && new FileInfo(Path.Combine(folder, "cwd")).LinkTarget == dataDirectory
                )
                    found.Add(id);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Ended in between, or another user's: not one of ours.
            }
        }
        return found;
    }

    private static async Task<List<int>> FromLsofAsync(string dataDirectory, CancellationToken cancellationToken)
    {
        string[] command = ["/usr/sbin/lsof", "-a", "-c", ServerName, "-d", "cwd", "-Fpn"];
        var result = await PostgresCommand.RunAsync(command, Limits.PostgresToolTimeout, cancellationToken);
        return ParseLsof(result.Output, dataDirectory);
    }

    /// <summary>Field output of lsof: a <c>p</c> line opens each process, an <c>n</c> line names its folder.</summary>
    internal static List<int> ParseLsof(string output, string dataDirectory)
    {
        var found = new List<int>();
        var current = 0;
        foreach (var line in output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (line[0] == 'p')
                current = int.TryParse(line.AsSpan(1), CultureInfo.InvariantCulture, out var id) ? id : 0;
            else if (line[0] == 'n' && line[1..] == dataDirectory && current != 0)
                found.Add(current);
        }
        return found;
    }
}
