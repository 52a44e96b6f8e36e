using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Checkpoints;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Training.Shared;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>
/// Takes a run through as many workers as it needs: one that is lost is replaced, and the run goes on from its last
/// checkpoint, as long as each of them brings it further.
/// </summary>
internal sealed class TrainingAttempts(
    TrainingGateway gateway,
    ReportQueue reports,
    LoadedModels models,
    BringUp bringUp,
    TimeProvider time
)
{
    /// <returns>The process that trained last, and how the run ended.</returns>
    public async Task<(int ProcessId, TrainingOutcome Outcome)> RunAsync(
        ITrainingSeats seats,
        PreparedTraining prepared,
        TrainingFolder folder,
        HeldLease lease,
        NoteOutbox notes,
        CancellationToken stopping
    )
    {
        var (furthest, losses) = (-1L, 0);
        while (true)
        {
            ITrainingAttempt attempt = prepared.Data.Shared is null
                ? new TrainingAttempt(gateway, reports, models, bringUp, prepared, folder, lease, notes, time)
                : new SharedAttempt(gateway, reports, models, bringUp, prepared, folder, lease, notes, time);
            try
            {
                await using var seat = await seats.TakeAsync(stopping);
                return (seat.Worker.ProcessId, await attempt.RunAsync(seat.Worker, stopping));
            }
            catch (EngineException e)
                when (e.ErrorClass is EngineErrorClass.WorkerLost or EngineErrorClass.WorkerHung
                    && lease.EndReason is null
                )
            {
                losses = attempt.Started > furthest ? 1 : losses + 1;
                furthest = Math.Max(furthest, attempt.Started);
                if (losses >= Limits.TrainingWorkerLosses)
                    throw;
                notes.Warn(attempt.Reached, $"The worker was lost after step {attempt.Reached}: {e.Message}");
            }
            await Task.Delay(Limits.RestartAfter, time, stopping);
        }
    }
}
