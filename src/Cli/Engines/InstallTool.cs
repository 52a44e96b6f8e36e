using System.ComponentModel;
using System.Diagnostics;
using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Engines;

/// <summary>Runs a tool that may take minutes: what it says goes to a log, and that it still works is said all the while.</summary>
internal sealed class InstallTool(string logPath, Action<string> say, TimeProvider clock)
{
    /// <summary>
    /// All that it inherits, and what begins with PIP_ or GIT_. tinygrad takes dozens of plain names for its own settings, even
    /// NO_COLOR, and Python some: what is set in the owner's shell must not change what is installed.
    /// </summary>
    private static readonly string[] Inherited =
    [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "TMPDIR",
        "LANG",
        "XDG_CACHE_HOME",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ];

    /// <summary>Returns the last line that it said.</summary>
    /// <param name="doing">What it is doing, for the lines of progress.</param>
    /// <param name="fix">What to do where it fails.</param>
    /// <exception cref="FleetFailure">It failed, or did not end in time; the message has its last lines.</exception>
    public async Task<string> RunAsync(
        string doing,
        string program,
        IReadOnlyList<string> arguments,
        string fix,
        CancellationToken cancellationToken
    )
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => !IsInherited(name)).ToList())
            start.Environment.Remove(name);
        using var process = Start(start, fix);
        process.StandardInput.Close();
        await using var log = new StreamWriter(logPath, append: true);
        await log.WriteLineAsync($"$ {program} {string.Join(' ', arguments)}");
        var tail = new LineTail(log);
        await FollowAsync(process, doing, tail, cancellationToken);
        if (process.ExitCode != 0)
        {
            var lines = tail.Lines.Select(line => Environment.NewLine + "  | " + line);
            throw new FleetFailure($"{doing} failed (status {process.ExitCode}).{string.Concat(lines)}", fix);
        }
        return tail.Last ?? "";
    }

    private static bool IsInherited(string name) =>
        Inherited.Contains(name, StringComparer.Ordinal)
        || name.StartsWith("PIP_", StringComparison.Ordinal)
        || name.StartsWith("GIT_", StringComparison.Ordinal);

    private static Process Start(ProcessStartInfo start, string fix)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new FleetFailure($"{start.FileName} cannot be started: {e.Message}.", fix);
        }
    }

    /// <summary>Returns when it has ended, said everything and was heard; ends it otherwise.</summary>
    private async Task FollowAsync(Process process, string doing, LineTail tail, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        var ended = Task.WhenAll(
            tail.FollowAsync(process.StandardOutput, cancellationToken),
            tail.FollowAsync(process.StandardError, cancellationToken),
            process.WaitForExitAsync(cancellationToken)
        );
        try
        {
            while (!await EndsAsync(ended, cancellationToken))
            {
                var elapsed = clock.GetElapsedTime(started);
                if (elapsed > Limits.InstallToolTimeout)
                    throw new FleetFailure($"{doing} did not end within {elapsed.TotalMinutes:0} min.", "Try again.");
                var last = tail.Last is { } line ? $": {line}" : "";
                say($"  still {doing}, {elapsed.TotalSeconds:0} s{last}");
            }
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>False when it is time to say that it still works.</summary>
    private async Task<bool> EndsAsync(Task ended, CancellationToken cancellationToken)
    {
        try
        {
            await ended.WaitAsync(Limits.InstallProgress, clock, cancellationToken);
            return true;
        }
        catch (TimeoutException) when (!ended.IsCompleted)
        {
            return false;
        }
    }
}
