using System.Globalization;
using System.Security.Cryptography;
using EgpuFleet.Cli.Processes;
using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Cli.Evidence;

/// <summary>A worker of our own, in a session of its own so that Ctrl-C reaches us alone; it ends with us, however we end.</summary>
internal sealed class EvidenceWorker : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private readonly TimeProvider _clock;

    private EvidenceWorker(ChildProcess process, WorkerClient client, TimeProvider clock) =>
        (_process, Client, _clock) = (process, client, clock);

    public WorkerClient Client { get; }

    /// <summary>What it saw of its device when that was open.</summary>
    public EngineProbe Probe { get; private set; } = null!;

    /// <summary>Returns when its device is open.</summary>
    /// <exception cref="EngineException">It did not come up, or did not open; the message ends with its last words.</exception>
    public static async Task<EvidenceWorker> StartAsync(
        EvidenceSubject subject,
        string folder,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        // One folder a start: a socket that a killed worker left is in nobody's way.
        var home = Path.Combine(folder, RandomNumberGenerator.GetHexString(8, lowercase: true));
        Directory.CreateDirectory(home);
        var socket = Path.Combine(home, "w");
        var credential = RandomNumberGenerator.GetHexString(32);
        if (!File.Exists(subject.Executable))
            throw new EngineException(EngineErrorClass.EngineUnavailable, $"{subject.Executable} is not built.");
        var start = WorkerLaunch.StartInfo(subject.Executable, socket, credential, Limits.EvidenceKeepFor);
        foreach (var (name, value) in subject.Settings)
            start.Environment[name] = value;
        var log = new BoundedLog(Path.Combine(home, "log"), clock);
        var process = ChildProcess.Start(
            start.FileName,
            start.ArgumentList,
            new Dictionary<string, string?>(start.Environment, StringComparer.Ordinal),
            log
        );
        try
        {
            var client = await ConnectAsync(process, socket, credential, clock, cancellationToken);
            var worker = new EvidenceWorker(process, client, clock);
            worker.Probe = await client.ProbeAsync(cancellationToken);
            return worker;
        }
        catch (EngineException e)
        {
            await EndAsync(process, clock);
            throw new EngineException(e.ErrorClass, $"{e.Message}\n{string.Join('\n', log.Tail)}".TrimEnd());
        }
        catch
        {
            await EndAsync(process, clock);
            throw;
        }
    }

    /// <summary>The end of what it said.</summary>
    public string LastWords => string.Join('\n', _process.Log.Tail);

    /// <summary>SIGKILL; returns when the process is gone.</summary>
    public async Task KillAsync()
    {
        _process.Identity.Signal(Native.SigKill);
        await _process.Exited;
    }

    /// <summary>SIGKILL to what the worker has started; returns how many, when the worker has noticed and is gone.</summary>
    public async Task<int> KillChildrenAsync(CancellationToken cancellationToken)
    {
        var parent = _process.Identity.Pid.ToString(CultureInfo.InvariantCulture);
        var told = await new HostCommand(_clock).RunAsync(
            "pgrep",
            ["-P", parent],
            Kernels.Limits.CommandTimeout,
            cancellationToken
        );
        var children = told
            .Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(id => int.TryParse(id, CultureInfo.InvariantCulture, out var pid) ? ProcessIdentity.Of(pid) : null)
            .OfType<ProcessIdentity>()
            .ToList();
        foreach (var child in children)
            child.Signal(Native.SigKill);
        if (children.Count > 0)
            await _process.Exited.WaitAsync(cancellationToken);
        return children.Count;
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await EndAsync(_process, _clock);
    }

    private static async Task EndAsync(ChildProcess process, TimeProvider clock)
    {
        await process.StopAsync(Limits.EvidenceStopGrace, clock);
        await process.DrainAsync(clock);
        process.Log.Dispose();
        process.Dispose();
    }

    private static async Task<WorkerClient> ConnectAsync(
        ChildProcess process,
        string socket,
        string credential,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            try
            {
                return await WorkerClient.ConnectAsync(socket, credential, cancellationToken);
            }
            catch (EngineException e) when (e.ErrorClass == EngineErrorClass.WorkerLost)
            {
                if (process.Exited.IsCompleted)
                {
                    await process.DrainAsync(clock);
                    throw new EngineException(
                        EngineErrorClass.EngineUnavailable,
                        $"The worker ended with status {await process.Exited}."
                    );
                }
            }
            // The process has no signal for "listening" but the socket itself.
            await Task.Delay(Limits.HealthInterval, clock, cancellationToken);
        }
    }
}
