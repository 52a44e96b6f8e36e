using System.Diagnostics;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Hosting;
using EgpuFleet.NodeAgent.Models;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>
/// One leased shard from its start to its last report. Items run side by side and their results are reported in small
/// batches while others still compute. Everything stops with the lease; what was not reported by then is forgotten.
/// </summary>
internal sealed partial class ShardRun(
    ShardAssignment assignment,
    HeldLease lease,
    ShardItems items,
    ReportQueue reports,
    TimeProvider time,
    ILogger log
)
{
    private readonly TaskCompletionSource givingBack = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool computing = true;
    private volatile string? givenBack;

    public HeldLease Lease => lease;

    /// <summary>Whether it still takes the device's time; a run that only waits for its last report to be answered does not.</summary>
    public bool Computing => computing && lease.EndReason is null;

    /// <summary>Whether it has a state that is worth a moment when it ends.</summary>
    public bool Trains => assignment.Kind == JobKind.Train;

    /// <summary>Stops computing; what has been computed is reported, then the lease ends.</summary>
    public void GiveBack(string reason)
    {
        givenBack = reason;
        givingBack.TrySetResult();
    }

    /// <summary>Never faults: every failure becomes a report, or the silence of a lost lease.</summary>
    public async Task RunAsync()
    {
        using var activity = Trace();
        LogStarted(lease.Key, assignment.Items.Count, assignment.Model?.Ref.Name ?? "no model");
        Task<ShardFailure?>? work = null;
        try
        {
            var results = new ResultBuffer();
            work = ComputeAsync(results);
            await ReportAsync(results, work);
        }
        catch (OperationCanceledException) when (lease.EndReason is not null)
        {
            LogEnded(lease.Key, lease.EndReason);
            activity?.SetStatus(ActivityStatusCode.Error, lease.EndReason);
            // It has files and a worker, which the next one must not find.
            if (Trains && work is not null)
                await ((Task)work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            computing = false;
        }
    }

    /// <summary>Null when every item has a result; else why the shard cannot go on here.</summary>
    private async Task<ShardFailure?> ComputeAsync(ResultBuffer results)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(lease.Ended);
        try
        {
            var work = items.RunAsync(assignment, lease, results, stopping.Token);
            if (await Task.WhenAny(work, givingBack.Task) != work)
                await stopping.CancelAsync();
            await work;
            givenBack = null;
            return null;
        }
        catch (OperationCanceledException) when (givenBack is not null && lease.EndReason is null)
        {
            return null;
        }
        catch (EngineException e)
        {
            return new ShardFailure(EngineErrors.Code(e.ErrorClass), e.Message, e.Retryable);
        }
        catch (GenerationException e)
        {
            return new ShardFailure(e.Code, e.Message, e.Retryable);
        }
        catch (Exception e) when (lease.EndReason is null)
        {
            // A full disk, a file that vanished: said to the pool, which tries elsewhere and counts, not swallowed.
            LogBroke(lease.Key, e);
            return new ShardFailure("agent_error", $"{e.GetType().Name}: {e.Message}", Retryable: true);
        }
        finally
        {
            computing = false;
            results.Complete();
        }
    }

    private async Task ReportAsync(ResultBuffer results, Task<ShardFailure?> work)
    {
        while (await results.WaitAsync(lease.Ended))
        {
            var batch = await GatherAsync(results);
            // The last results travel with the last word.
            if (results.IsCompleted)
            {
                await FinishAsync(batch, await work);
                return;
            }
            await reports.SendAsync(lease, ShardOutcome.Progress, batch, null);
        }
        await FinishAsync([], await work);
    }

    private async Task FinishAsync(List<ItemResult> batch, ShardFailure? failure)
    {
        if (failure is null && givenBack is { } reason)
        {
            // Not finished and not failed: the pool learns from the next heartbeat that nobody works on the rest.
            if (batch.Count > 0)
                await reports.SendAsync(lease, ShardOutcome.Progress, batch, null);
            lease.End(reason);
            LogEnded(lease.Key, reason);
            return;
        }
        var outcome = failure is null ? ShardOutcome.Finished : ShardOutcome.Failed;
        await reports.SendAsync(lease, outcome, batch, failure);
        if (failure is null)
            LogFinished(lease.Key);
        else
            LogFailed(lease.Key, failure.Code, failure.Message);
    }

    private async Task<List<ItemResult>> GatherAsync(ResultBuffer results)
    {
        var batch = new List<ItemResult>();
        var bytes = 0L;
        var window = Task.Delay(Limits.ReportEvery, time, lease.Ended);
        while (true)
        {
            while (batch.Count < Limits.ReportItems && bytes < Limits.ReportBytes && results.TryRead(out var result))
            {
                batch.Add(result);
                bytes += PendingReport.BytesOf(result);
            }
            if (batch.Count >= Limits.ReportItems || bytes >= Limits.ReportBytes)
                return batch;
            var more = results.WaitAsync(lease.Ended);
            if (await Task.WhenAny(more, window) == window || !await more)
                return batch;
        }
    }

    private Activity? Trace()
    {
        _ = ActivityContext.TryParse(assignment.TraceParent, null, isRemote: true, out var parent);
        var activity = AgentTelemetry.Source.StartActivity("shard", ActivityKind.Consumer, parent);
        activity?.SetTag("egpufleet.shard", lease.Key.Shard.ToString());
        activity?.SetTag("egpufleet.epoch", lease.Key.Epoch);
        activity?.SetTag("egpufleet.device", lease.Key.Device.ToString());
        activity?.SetTag("egpufleet.items", assignment.Items.Count);
        return activity;
    }
}
