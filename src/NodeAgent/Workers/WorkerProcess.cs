using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>A living worker and the connection to it.</summary>
internal sealed class WorkerProcess(WorkerClient client, WorkerRecord record, TimeProvider time)
{
    private readonly TaskCompletionSource<WorkerClosed> condemned = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );

    public WorkerClient Client { get; } = client;

    public int ProcessId => record.ProcessId;

    /// <summary>Completes, never faults, when the connection has ended: usually because the process did.</summary>
    public Task<WorkerClosed> Closed => Client.Closed;

    /// <summary>Completes, never faults, when it is closed or condemned: nothing may be asked of it any more.</summary>
    public async Task<WorkerClosed> GoneAsync() => await await Task.WhenAny(condemned.Task, Closed);

    /// <summary>Whether it may still be asked for anything.</summary>
    public bool IsUsable => !Closed.IsCompleted && !condemned.Task.IsCompleted;

    /// <summary>Whether it was given up though it lives: it stood still, or could not be believed.</summary>
    public bool IsCondemned => condemned.Task.IsCompleted;

    /// <summary>Gives up a worker that lives and does not work; its supervisor replaces it.</summary>
    public void Condemn(string reason) => condemned.TrySetResult(new WorkerClosed(Expected: false, reason));

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

    /// <summary>Ends it as a lost link does, without a word.</summary>
    public async Task KillAtOnceAsync()
    {
        await ProcessEnd.KillAsync(record.ProcessId, record.Started, Limits.WorkerStopTimeout, time);
        await Client.DisposeAsync();
    }

    /// <summary>
    /// Ends it without asking: it failed. Whoever waits for an answer hears so at once, not when the process, which may be stuck
    /// in its device, is gone.
    /// </summary>
    public async Task KillAsync(string reason)
    {
        await Client.GiveUpAsync(reason);
        await ProcessEnd.EndAsync(record.ProcessId, record.Started, Limits.WorkerStopTimeout, time);
    }
}
