using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>A worker in which a run may have its session.</summary>
internal interface ITrainingSeats
{
    /// <summary>Name of the engine that trains there.</summary>
    string Engine { get; }

    /// <summary>Returns a living worker.</summary>
    /// <exception cref="EngineException">There is none.</exception>
    Task<TrainingSeat> TakeAsync(CancellationToken cancellationToken);
}

/// <summary>A worker lent to a run; giving it back closes the session, and the worker where it was the run's own.</summary>
internal sealed class TrainingSeat(WorkerProcess worker, Func<Task> giveBack) : IAsyncDisposable
{
    public WorkerProcess Worker => worker;

    public async ValueTask DisposeAsync() => await giveBack();
}

/// <summary>Seats in the device's own worker: its engine trains as well as it serves.</summary>
internal sealed class DeviceSeats(string engine, WorkerSupervisor supervisor, TimeProvider time) : ITrainingSeats
{
    public string Engine => engine;

    /// <summary>One that has died is waited for while its supervisor brings another one up.</summary>
    public async Task<TrainingSeat> TakeAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limits.SeatWait, time);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        while (true)
        {
            var moved = supervisor.Moved;
            if (supervisor.Worker is { } worker)
                return new TrainingSeat(worker, () => Task.CompletedTask);
            if (!IsComing(supervisor.Life.Phase))
                throw NotReady();
            try
            {
                await moved.WaitAsync(waiting.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw NotReady();
            }
        }
    }

    private static bool IsComing(WorkerPhase phase) =>
        phase is WorkerPhase.Starting or WorkerPhase.Testing or WorkerPhase.Ready or WorkerPhase.Waiting;

    private static EngineException NotReady() => new(EngineErrorClass.WorkerLost, "The device has no ready worker.");
}

/// <summary>Seats in a process of its own for each run, beside the worker that serves.</summary>
internal sealed class OwnSeats(string engine, WorkerLauncher launcher, TimeProvider time) : ITrainingSeats
{
    public string Engine => engine;

    public async Task<TrainingSeat> TakeAsync(CancellationToken cancellationToken)
    {
        WorkerProcess worker;
        try
        {
            worker = await launcher.StartAsync(cancellationToken);
        }
        catch (WorkerStartException e)
        {
            throw new EngineException(EngineErrorClass.EngineUnavailable, e.Message, innerException: e);
        }
        var leaving = new CancellationTokenSource();
        var watching = WatchAsync(worker, leaving.Token);
        return new TrainingSeat(
            worker,
            async () =>
            {
                await leaving.CancelAsync();
                await watching;
                leaving.Dispose();
                await worker.EndAsync();
            }
        );
    }

    /// <summary>Ends a worker that no longer answers, so that whoever waits for it hears so. Never faults.</summary>
    private async Task WatchAsync(WorkerProcess worker, CancellationToken leaving)
    {
        try
        {
            var (reason, _) = await new WorkerWatch(DevicePatience.Standard, time).UntilGoneAsync(worker, leaving);
            await worker.KillAsync($"{reason} {launcher.LastLine()}".TrimEnd());
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }
}
