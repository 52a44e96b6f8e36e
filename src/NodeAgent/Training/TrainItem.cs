using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Checkpoints;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Hosting;
using EgpuFleet.NodeAgent.Training.Shared;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>
/// The one item of a fine-tuning on one device: brings model and data here, goes on from the newest checkpoint, and ends with
/// a result that is served.
/// </summary>
/// <param name="seats">Null for a device that cannot train.</param>
internal sealed class TrainItem(
    ITrainingSeats? seats,
    TrainingFolder folder,
    TrainingInputs inputs,
    TrainingGateway gateway,
    TrainingAttempts attempts,
    ThroughputMeter meter,
    TimeProvider time
)
{
    /// <summary>Returns the process that trained last, and the summary as JSON.</summary>
    /// <param name="stopping">Ends the run after its step; its state is durable then.</param>
    /// <exception cref="EngineException">The engine cannot train this, or its worker was lost again and again.</exception>
    /// <exception cref="GenerationException">Model or data cannot be had, or are not fit for it.</exception>
    public async Task<(int ProcessId, string Summary)> RunAsync(
        ShardAssignment assignment,
        ModelRef model,
        HeldLease lease,
        CancellationToken stopping
    )
    {
        if (seats is null || assignment.Train is not { } parameters)
            throw new EngineException(EngineErrorClass.InvalidRequest, "The device has no engine that trains.");
        // Counts as one sequence in decode: nothing is measured on the device meanwhile.
        meter.Begin();
        try
        {
            folder.Begin();
            await using var notes = new NoteOutbox(gateway, lease.Key, time);
            var began = time.GetTimestamp();
            if (parameters.DataParallel is not null && await IsOverAsync(lease, notes, stopping))
                return (0, "{}");
            var prepared = await inputs.PrepareAsync(parameters, model, folder, notes, stopping);
            var (processId, outcome) = await attempts.RunAsync(seats, prepared, folder, lease, notes, stopping);
            var published = await PublishAsync(lease, outcome, notes, stopping);
            return (processId, Summary(published, outcome, seats.Engine, time.GetElapsedTime(began)));
        }
        catch (CheckpointException e) when (e.Code == "fenced")
        {
            lease.End("a checkpoint was fenced: another epoch is current");
            throw new OperationCanceledException(e.Message, e, lease.Ended);
        }
        catch (CheckpointException e)
        {
            throw new GenerationException(e.Code, e.Message, retryable: true);
        }
        catch (TrainingStateException e)
        {
            throw new GenerationException("checkpoint_unusable", e.Message, retryable: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GenerationException(
                "file_failed",
                $"A file of the run cannot be written or read on this machine; make room on its disk: {e.Message}",
                retryable: true
            );
        }
        finally
        {
            meter.End();
            folder.End();
        }
    }

    private static string Summary(TrainingPublished? published, TrainingOutcome outcome, string engine, TimeSpan took)
    {
        var summary = new
        {
            published?.Model,
            outcome.Checkpoint,
            Steps = outcome.State.Step,
            outcome.State.TrainedTokens,
            outcome.TrainLoss,
            outcome.ValidLoss,
            Engine = engine,
            Seconds = took.TotalSeconds,
        };
        return JsonSerializer.Serialize(summary, AgentJson.Options);
    }

    /// <summary>Has the result served; of a shared run the first member does, and null is returned to the others.</summary>
    private async Task<TrainingPublished?> PublishAsync(
        HeldLease lease,
        TrainingOutcome outcome,
        NoteOutbox notes,
        CancellationToken stopping
    )
    {
        if (lease.Key.Shard.Number != 0)
            return null;
        var published = await gateway.PublishAsync(
            lease.Key,
            outcome.Checkpoint,
            why => notes.Warn(outcome.State.Step, $"The result is not served yet: {why}"),
            stopping
        );
        notes.Say(outcome.State.Step, $"Done: served as {published.Model}.");
        return published;
    }

    /// <summary>Whether the others have finished without this member; the first one has to see to the end all the same.</summary>
    private async Task<bool> IsOverAsync(HeldLease lease, NoteOutbox notes, CancellationToken stopping)
    {
        if (lease.Key.Shard.Number == 0)
            return false;
        try
        {
            var named = new TrainingLease(lease.Key.Shard, lease.Key.Epoch);
            var rounds = new RoundGateway(gateway, notes);
            return (await rounds.AskAsync(client => client.NextAsync(named, 0, stopping), stopping)).IsOver;
        }
        catch (CheckpointException e) when (e.Code == "run_not_begun")
        {
            return false;
        }
    }
}
