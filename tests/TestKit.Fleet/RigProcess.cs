using System.Diagnostics;

namespace EgpuFleet.TestKit.Fleet;

/// <summary>
/// One process of the rig, kept up as a supervisor keeps it: whatever ends it, it is started again, unless it was told to
/// stay down. It ends when the rig ends, however that happens: its standard input closes.
/// </summary>
public sealed class RigProcess(
    string name,
    string program,
    IReadOnlyList<string> arguments,
    IReadOnlyDictionary<string, string?> environment,
    ProcessLog log
) : IAsyncDisposable
{
    private static readonly TimeSpan RestartAfter = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(25);

    private readonly SemaphoreSlim wake = new(0);
    private volatile Task<int> exited = Task.FromResult(0);
    private volatile bool staysDown;
    private volatile bool isEnding;
    private Task keeping = Task.CompletedTask;

    public string Name { get; } = name;

    public ProcessLog Log { get; } = log;

    /// <summary>Of the process now, or of the last one.</summary>
    public int ProcessId { get; private set; }

    /// <summary>How often it was started.</summary>
    public int Starts { get; private set; }

    public bool IsUp => !exited.IsCompleted;

    public void Start()
    {
        Launch();
        keeping = KeepUpAsync();
    }

    /// <summary>SIGKILL; returns when the process is gone.</summary>
    /// <param name="comesBack">Whether it is started again, as its supervisor would; else <see cref="Revive"/> does.</param>
    public async Task KillAsync(bool comesBack)
    {
        staysDown = !comesBack;
        if (!IsUp)
            return;
        Signals.Send(ProcessId, Signals.Kill);
        await exited;
    }

    /// <summary>SIGTERM; returns when the process has ended by itself. It is started again, as its supervisor would.</summary>
    public async Task StopAsync()
    {
        SendWhileUp(Signals.Terminate);
        await exited;
    }

    /// <summary>Starts a process again that was to stay down.</summary>
    public void Revive()
    {
        staysDown = false;
        wake.Release();
    }

    /// <summary>SIGSTOP: sockets stay open and nothing moves, as on a Mac that sleeps.</summary>
    public void Freeze() => SendWhileUp(Signals.Stop);

    public void Thaw() => SendWhileUp(Signals.Continue);

    public async ValueTask DisposeAsync()
    {
        isEnding = true;
        Revive();
        Thaw();
        SendWhileUp(Signals.Terminate);
        if (await Task.WhenAny(exited, Task.Delay(StopGrace)) != exited)
            SendWhileUp(Signals.Kill);
        await keeping;
        wake.Dispose();
        await Log.DisposeAsync();
    }

    private void SendWhileUp(int signal)
    {
        if (IsUp)
            Signals.Send(ProcessId, signal);
    }

    private async Task KeepUpAsync()
    {
        while (true)
        {
            Log.Note($"{Name} ended with status {await exited}");
            while (staysDown && !isEnding)
                await wake.WaitAsync();
            if (isEnding)
                return;
            await Task.Delay(RestartAfter);
            if (isEnding)
                return;
            Launch();
        }
    }

    private void Launch()
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment)
            start.Environment[key] = value;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        ProcessId = process.Id;
        Starts++;
        exited = ExitOfAsync(process);
        Log.Follow(process.StandardOutput);
        Log.Follow(process.StandardError);
    }

    // Its streams are left to whoever still copies from them; they end with the process.
    private static async Task<int> ExitOfAsync(Process process)
    {
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
