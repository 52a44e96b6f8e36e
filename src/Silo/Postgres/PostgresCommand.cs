using System.Diagnostics;
using System.Text;

namespace EgpuFleet.Silo.Postgres;

/// <summary>Exit status of a server tool with the last part of what it printed.</summary>
internal sealed record PostgresCommandResult(int ExitCode, string Output);

/// <summary>Runs one server tool to its end, with bounded time and output and a clean environment.</summary>
internal static class PostgresCommand
{
    /// <exception cref="TimeoutException">The tool ran longer than <paramref name="timeout"/>; it was killed.</exception>
    /// <exception cref="System.ComponentModel.Win32Exception">There is no such executable.</exception>
    public static async Task<PostgresCommandResult> RunAsync(
        IReadOnlyList<string> command,
        TimeSpan timeout,
        CancellationToken cancellationToken
    )
    {
        using var process = new Process { StartInfo = StartInfo(command) };
        var output = new StringBuilder();
        void Append(string? line)
        {
            if (line is null)
                return;
            lock (output)
            {
                output.AppendLine(line);
                if (output.Length > Limits.PostgresToolOutputCharsMax)
                    output.Remove(0, output.Length - Limits.PostgresToolOutputCharsMax);
            }
        }
        process.OutputDataReceived += (_, e) => Append(e.Data);
        process.ErrorDataReceived += (_, e) => Append(e.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: false);
            cancellationToken.ThrowIfCancellationRequested();
            throw new TimeoutException($"{Path.GetFileName(command[0])} ran longer than {timeout.TotalSeconds} s.", e);
        }
        lock (output)
            return new PostgresCommandResult(process.ExitCode, output.ToString().Trim());
    }

    private static ProcessStartInfo StartInfo(IReadOnlyList<string> command)
    {
        var info = new ProcessStartInfo(command[0])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            // The dedicated account may not be able to enter the caller's folder.
            WorkingDirectory = "/",
        };
        foreach (var argument in command.Skip(1))
            info.ArgumentList.Add(argument);
        foreach (var name in info.Environment.Keys.Where(IsServerSetting).ToList())
            info.Environment.Remove(name);
        // A macOS postmaster refuses to start when the locale makes it multithreaded.
        info.Environment["LC_ALL"] = "C";
        return info;
    }

    private static bool IsServerSetting(string name) =>
        name.StartsWith("PG", StringComparison.Ordinal) || name.StartsWith("LC_", StringComparison.Ordinal);
}
