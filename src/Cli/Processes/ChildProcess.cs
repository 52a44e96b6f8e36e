using System.Diagnostics;
using System.Text;

namespace EgpuFleet.Cli.Processes;

/// <summary>
/// A program of ours as a child in a session of its own. We hold its standard input and never write: when we die, however,
/// the kernel closes it and the child stops by itself. Its output goes to a bounded log.
/// </summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task _output;

    private ChildProcess(Process process, ProcessIdentity identity, BoundedLog log)
    {
        _process = process;
        Identity = identity;
        Log = log;
        _output = Task.WhenAll(PumpAsync(process.StandardOutput, log), PumpAsync(process.StandardError, log));
        Exited = WaitAsync();
    }

    public ProcessIdentity Identity { get; }

    public BoundedLog Log { get; }

    /// <summary>Completes with the exit status (128 + signal for a signal).</summary>
    public Task<int> Exited { get; }

    /// <exception cref="System.ComponentModel.Win32Exception">The program cannot be started.</exception>
    public static ChildProcess Start(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?> environment,
        BoundedLog log
    )
    {
        var (file, all) = SessionExec.Command(program, arguments);
        var start = new ProcessStartInfo(file)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in all)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        var identity = ProcessIdentity.Of(process.Id) ?? new ProcessIdentity(process.Id, "");
        return new ChildProcess(process, identity, log);
    }

    /// <summary>Ends its input and asks it to end; kills it after the grace.</summary>
    public async Task StopAsync(TimeSpan grace, TimeProvider clock)
    {
        if (!Exited.IsCompleted)
        {
            _process.StandardInput.Close();
            Identity.Signal(Native.SigTerm);
            try
            {
                await Exited.WaitAsync(grace, clock);
            }
            catch (TimeoutException)
            {
                Log.Write($"did not stop within {grace.TotalSeconds:0} s; killed");
                _process.Kill();
            }
        }
        await Exited;
    }

    public void Dispose() => _process.Dispose();

    private async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Completes when the output has been written down; a grandchild that keeps the pipe open does not hold it up.</summary>
    public async Task DrainAsync(TimeProvider clock)
    {
        try
        {
            await _output.WaitAsync(TimeSpan.FromSeconds(1), clock);
        }
        catch (TimeoutException)
        {
            Log.Write("its output is still held open by another process");
        }
    }

    /// <summary>Reads in blocks: a line without an end must not grow without bound.</summary>
    private static async Task PumpAsync(StreamReader reader, BoundedLog log)
    {
        var line = new StringBuilder();
        var block = new char[4096];
        int read;
        while ((read = await reader.ReadAsync(block)) > 0)
        {
            for (var i = 0; i < read; i++)
            {
                if (block[i] != '\n' && line.Length <= Limits.LogLineCharsMax)
                    line.Append(block[i]);
                if (block[i] != '\n')
                    continue;
                log.Write(line.ToString());
                line.Clear();
            }
        }
        if (line.Length > 0)
            log.Write(line.ToString());
    }
}
