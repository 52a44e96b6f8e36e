using System.Buffers;
using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace EgpuFleet.Kernels.Drivers.Gathering;

/// <summary>Asks a tool of the system: by its path, never through a shell, with a time limit and bounded output.</summary>
public sealed class HostCommand(TimeProvider clock)
{
    /// <summary>Where tools are looked for after PATH: an agent started by the system has a short one.</summary>
    private static readonly string[] MoreFolders =
    [
        "/usr/bin",
        "/bin",
        "/usr/sbin",
        "/sbin",
        "/usr/local/bin",
        "/opt/homebrew/bin",
    ];

    /// <summary>Never throws for what the tool is or does.</summary>
    /// <param name="tool">A name, looked for in PATH and the usual folders, or an absolute path.</param>
    public async Task<CommandText> RunAsync(
        string tool,
        IEnumerable<string> arguments,
        TimeSpan limit,
        CancellationToken cancellationToken
    )
    {
        if (Find(tool) is not { } file)
            return CommandText.NotThere;
        var start = new ProcessStartInfo(file, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Texts are parsed: no translations.
        start.Environment["LC_ALL"] = "C";
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            return new CommandText(CommandOutcome.NotStarted, "", 0);
        }
        using (process)
            return await TalkAsync(process, limit, cancellationToken);
    }

    /// <summary>The tool's absolute path; null where there is none.</summary>
    public static string? Find(string tool)
    {
        if (Path.IsPathRooted(tool))
            return File.Exists(tool) ? tool : null;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return folders
            .Where(Path.IsPathRooted)
            .Concat(MoreFolders)
            .Select(folder => Path.Combine(folder, tool))
            .FirstOrDefault(File.Exists);
    }

    private async Task<CommandText> TalkAsync(Process process, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        var output = new BoundedText();
        var error = new BoundedText();
        try
        {
            process.StandardInput.Close();
            var reading = Task.WhenAll(
                output.ReadAsync(process.StandardOutput.BaseStream, either.Token),
                error.ReadAsync(process.StandardError.BaseStream, either.Token)
            );
            await reading.WaitAsync(either.Token);
            await process.WaitForExitAsync(either.Token);
            return new CommandText(CommandOutcome.Ran, output.ToString(), process.ExitCode);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new CommandText(CommandOutcome.TimedOut, output.ToString(), 0);
        }
        catch (IOException)
        {
            return new CommandText(CommandOutcome.NotStarted, output.ToString(), 0);
        }
        finally
        {
            End(process);
        }
    }

    private static void End(Process process)
    {
        try
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is Win32Exception or AggregateException or InvalidOperationException)
        {
            // It ended by itself meanwhile, or belongs to another user: then it ends with its own work.
        }
    }

    /// <summary>Keeps the first bytes of a stream and reads the rest away, so that the tool is not stopped by a full pipe.</summary>
    private sealed class BoundedText
    {
        private readonly ArrayBufferWriter<byte> _kept = new();
        private readonly Lock _gate = new();

        public async Task ReadAsync(Stream stream, CancellationToken cancellationToken)
        {
            var block = new byte[16 * 1024];
            int read;
            while ((read = await stream.ReadAsync(block, cancellationToken)) > 0)
            {
                lock (_gate)
                    _kept.Write(block.AsSpan(0, Math.Min(read, Limits.CommandOutputBytes - _kept.WrittenCount)));
            }
        }

        public override string ToString()
        {
            lock (_gate)
                return Encoding.UTF8.GetString(_kept.WrittenSpan);
        }
    }
}
