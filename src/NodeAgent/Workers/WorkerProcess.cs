using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>A living worker and the connection to it.</summary>
internal sealed class WorkerProcess(WorkerClient client, WorkerRecord record, TimeProvider time)
{
    public WorkerClient Client { get; } = client;

    public int ProcessId => record.ProcessId;

    /// <summary>Completes, never faults, when the connection has ended: usually because the process did.</summary>
    public Task<WorkerClosed> Closed => Client.Closed;

    /// <summary>Asks it to end, then makes it. Returns when it is gone.</summary>
    public async Task EndAsync()
    {
        try
        {
            await Client.ShutdownAsync().WaitAsync(Limits.WorkerStopTimeout, time);
        }
        catch (Exception e) when (e is EngineException or TimeoutException)
        {
            // It is gone or stuck; the signals below settle it.
        }
        if (!await ProcessEnd.WaitAsync(record.ProcessId, record.Started, Limits.WorkerStopTimeout, time))
            await ProcessEnd.EndAsync(record.ProcessId, record.Started, Limits.WorkerStopTimeout, time);
        await Client.DisposeAsync();
    }

    /// <summary>Ends it without asking: it failed.</summary>
    public async Task KillAsync()
    {
        await ProcessEnd.EndAsync(record.ProcessId, record.Started, Limits.WorkerStopTimeout, time);
        await Client.DisposeAsync();
    }
}
