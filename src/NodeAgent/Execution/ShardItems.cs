using System.Text;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Training;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>Computes the items of a shard, some at a time, and leaves slots free for interactive requests.</summary>
internal sealed class ShardItems(
    WorkerSupervisor supervisor,
    LoadedModels models,
    Generator generator,
    TuneItem tune,
    TrainItem train,
    TimeProvider time
)
{
    /// <summary>Writes one result per item. An error of an item is its result; an error of the device ends the run.</summary>
    /// <param name="stopping">Fires with the lease at the latest.</param>
    public async Task RunAsync(
        ShardAssignment assignment,
        HeldLease lease,
        ResultBuffer results,
        CancellationToken stopping
    )
    {
        await lease.ReadyAsync().WaitAsync(stopping);
        if (assignment.Kind == JobKind.Train)
        {
            await TrainAsync(assignment, lease, results, stopping);
            return;
        }
        var worker =
            supervisor.Worker
            ?? throw new EngineException(EngineErrorClass.WorkerLost, "The device has no ready worker.");
        using var model = await models.AcquireAsync(ModelOf(assignment), worker, stopping);
        var parallel = new ParallelOptions
        {
            MaxDegreeOfParallelism = Math.Max(1, model.Info.Slots - Limits.InteractiveSlots),
            CancellationToken = stopping,
        };
        await Parallel.ForEachAsync(
            assignment.Items,
            parallel,
            async (item, token) =>
                await results.WriteAsync(await RunItemAsync(assignment, lease, item, worker, token), token)
        );
    }

    /// <summary>A run has one item here, and no model of the worker that serves.</summary>
    private async Task TrainAsync(
        ShardAssignment assignment,
        HeldLease lease,
        ResultBuffer results,
        CancellationToken stopping
    )
    {
        var started = time.GetTimestamp();
        var (processId, summary) = await train.RunAsync(assignment, ModelOf(assignment), lease, stopping);
        var empty = Empty(assignment, assignment.Items[0], processId);
        var result = empty with { Text = summary, FinishReason = "stop", DurationMilliseconds = Milliseconds(started) };
        await results.WriteAsync(result, stopping);
    }

    private async Task<ItemResult> RunItemAsync(
        ShardAssignment assignment,
        HeldLease lease,
        BatchItem item,
        WorkerProcess worker,
        CancellationToken cancellationToken
    )
    {
        var started = time.GetTimestamp();
        var empty = Empty(assignment, item, worker.ProcessId);
        try
        {
            if (assignment.Kind == JobKind.Tune)
            {
                var summary = await tune.RunAsync(assignment, ModelOf(assignment), worker, cancellationToken);
                await models.CountTuningAsync(worker, cancellationToken);
                return empty with
                {
                    Text = summary,
                    FinishReason = "stop",
                    DurationMilliseconds = Milliseconds(started),
                };
            }
            var (text, last) = await ComputeAsync(assignment, lease, item, worker, cancellationToken);
            return empty with
            {
                Text = text,
                FinishReason = Generator.FinishText(last.FinishReason!.Value),
                PromptTokens = last.Usage?.PromptTokens ?? 0,
                CompletionTokens = last.Usage?.CompletionTokens ?? 0,
                DurationMilliseconds = Milliseconds(started),
            };
        }
        catch (EngineException e) when (EngineErrors.IsOfTheRequest(e.ErrorClass))
        {
            return empty with
            {
                ErrorCode = EngineErrors.Code(e.ErrorClass),
                ErrorMessage = e.Message,
                DurationMilliseconds = Milliseconds(started),
            };
        }
    }

    private static ItemResult Empty(ShardAssignment assignment, BatchItem item, int processId) =>
        new(
            item.Index,
            item.CustomId,
            Text: null,
            FinishReason: null,
            PromptTokens: 0,
            CompletionTokens: 0,
            ErrorCode: null,
            ErrorMessage: null,
            assignment.Lease.Device,
            processId,
            assignment.Lease.Epoch,
            DurationMilliseconds: 0
        );

    /// <summary>Computes the item under a confirmed lease; what a sleep interrupted is given up and computed anew.</summary>
    private async Task<(string Text, GeneratedToken Last)> ComputeAsync(
        ShardAssignment assignment,
        HeldLease lease,
        BatchItem item,
        WorkerProcess worker,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            await lease.ReadyAsync().WaitAsync(cancellationToken);
            if (await GenerateAsync(assignment, lease, item, worker, cancellationToken) is { } done)
                return done;
        }
    }

    /// <summary>Null when the lease is not to be worked under any more, or not now.</summary>
    private async Task<(string Text, GeneratedToken Last)?> GenerateAsync(
        ShardAssignment assignment,
        HeldLease lease,
        BatchItem item,
        WorkerProcess worker,
        CancellationToken cancellationToken
    )
    {
        var text = new StringBuilder();
        var prompt = Prompts.Of(item.Prompt, null, item.Messages);
        var tokens = generator.RunAsync(
            worker,
            ModelOf(assignment).Sha256,
            prompt,
            assignment.Generation ?? throw NoModel(assignment),
            GenerationPriority.Batch,
            cancellationToken
        );
        await foreach (var token in tokens)
        {
            if (!lease.Check())
                return null;
            text.Append(token.Text);
            if (token.FinishReason is FinishReason.Cancelled)
                throw new EngineException(EngineErrorClass.Cancelled, "The worker gave the item up.");
            if (token.FinishReason is not null)
                return (text.ToString(), token);
        }
        throw new EngineException(EngineErrorClass.ProtocolViolation, "A generation ended without a finish reason.");
    }

    private static ModelRef ModelOf(ShardAssignment assignment) => assignment.Model?.Ref ?? throw NoModel(assignment);

    private static EngineException NoModel(ShardAssignment assignment) =>
        new(EngineErrorClass.InvalidRequest, $"{assignment.Lease.Shard} comes without a model or without parameters.");

    private int Milliseconds(long started) =>
        (int)Math.Min(time.GetElapsedTime(started).TotalMilliseconds, int.MaxValue);
}
