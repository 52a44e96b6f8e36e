using System.Diagnostics;
using System.Globalization;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>A real worker, llama.cpp's unless another is named, as a child process with a socket of its own; gone when disposed.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    public const string Credential = "a credential of the tests";

    public const string LlamaCpp = "EgpuFleet.Kernels.LlamaCpp";

    private readonly DirectoryInfo folder;

    private WorkerProcess(DirectoryInfo folder, Process process)
    {
        this.folder = folder;
        Process = process;
    }

    public Process Process { get; }

    public string SocketPath => Path.Combine(folder.FullName, "w");

    public static WorkerProcess Start(
        TimeSpan? keepFor = null,
        Action<ProcessStartInfo>? adjust = null,
        string worker = LlamaCpp
    )
    {
        var home = Directory.CreateTempSubdirectory("efw");
        var executable = Path.Combine(AppContext.BaseDirectory, worker);
        var start = WorkerLaunch.StartInfo(executable, Path.Combine(home.FullName, "w"), Credential, keepFor);
        adjust?.Invoke(start);
        return new WorkerProcess(home, Process.Start(start)!);
    }

    /// <summary>Connects as soon as the process listens.</summary>
    public async Task<WorkerClient> ConnectAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await WorkerClient.ConnectAsync(SocketPath, Credential, cancellationToken);
            }
            catch (EngineException exception)
                when (exception.ErrorClass == EngineErrorClass.WorkerLost && !Process.HasExited)
            {
                // The process has no signal for "listening" but the socket itself.
                await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
            }
        }
    }

    /// <summary>The one process that the worker has started.</summary>
    public async Task<Process> ChildAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("pgrep", ["-P", Process.Id.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var pgrep = Process.Start(start)!;
        var line = await pgrep.StandardOutput.ReadLineAsync(cancellationToken);
        await pgrep.WaitForExitAsync(cancellationToken);
        return Process.GetProcessById(int.Parse(line!, CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        if (!Process.HasExited)
            Process.Kill();
        await Process.WaitForExitAsync(CancellationToken.None);
        Process.Dispose();
        folder.Delete(recursive: true);
    }
}
