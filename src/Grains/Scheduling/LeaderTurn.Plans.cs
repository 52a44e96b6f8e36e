using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Memory;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>What the loop does about plans: their leases, and handing those over.</summary>
internal sealed partial class LeaderTurn
{
    private readonly List<Assignment> toStart = [];
    private readonly List<LeaseKey> toStop = [];

    /// <summary>
    /// Make durable: the plan becomes leases only when the ledger says so. Its slots are taken at once, so that the next plan
    /// need not wait for this one.
    /// </summary>
    private void MakeDurable(Plan plan)
    {
        var operations = memory.Take(plan);
        hasChanged = true;
        Commit(operations, outcomes => TakePlan(operations, outcomes), _ => { });
    }

    private void TakePlan(List<LedgerOperation> operations, IReadOnlyList<LedgerOutcome> outcomes)
    {
        for (var i = 0; i < operations.Count; i++)
        {
            if (outcomes[i].Applied)
                continue;
            hasChanged = true;
            switch (operations[i])
            {
                case LedgerOperation.StartShard start:
                    TakeNotStarted(start.Id);
                    break;
                case LedgerOperation.RestartShard restart:
                    TakeNotStarted(restart.Id);
                    break;
                default:
                    MustHold(isApplied: false, LedgerOperations.JobOf(operations[i]));
                    break;
            }
        }
    }

    /// <summary>A planned lease was refused: because its job has ended or was paused meanwhile, or because it came too early.</summary>
    private void TakeNotStarted(ShardId id)
    {
        memory.GiveBack(id);
        if (memory.FindStarted(id.Job) is not { } job || job.State == JobState.Paused || job.IsEnding)
            return;
        if (job.Shards.TryGet(id.Number, out var shard) && shard.NotBefore is not null)
        {
            shard.NotBefore = memory.DatabaseNow + Limits.ExpiryRetry;
            memory.Due.Add(job.Id, DueKind.Backoff, shard.NotBefore.Value);
            memory.Refresh(job);
            return;
        }
        MustHold(isApplied: false, id.Job);
    }

    private void Assign(ShardId id)
    {
        if (memory.FindStarted(id.Job) is not { } job || !job.Shards.TryGet(id.Number, out var shard))
            return;
        toStart.Add(
            new Assignment(
                shard.Lease,
                shard.FirstItem,
                shard.ItemCount,
                job.Shape.Kind,
                job.Shape.Model,
                job.Spec,
                shard.Epoch == 1 ? KeptItems(job, shard) : null
            )
        );
    }

    /// <summary>The items of a first lease, if they were kept since the submit; none of them has a result yet.</summary>
    private static IReadOnlyList<BatchItem>? KeptItems(JobEntry job, ShardEntry shard)
    {
        var all = job.Items;
        if (job.NextItem == job.ItemCount)
            job.Items = null;
        if (all is null || shard.ItemCount == job.ItemCount)
            return all;
        return [.. all.Skip(shard.FirstItem).Take(shard.ItemCount)];
    }

    /// <summary>Tell: hand over what was leased, stop what ended; answers come back as inputs.</summary>
    private void Tell()
    {
        // Cancelled in the same step: its device need not hear of it.
        toStart.RemoveAll(work => !memory.Leases.IsLive(work.Lease));
        if (toStart.Count > 0)
        {
            var known = toStart.FindAll(work => work.Items is not null);
            var unread = toStart.FindAll(work => work.Items is null);
            HandOverNow(known);
            if (unread.Count > 0)
                InBackground(() => ReadAndHandOverAsync(unread));
            toStart.Clear();
        }
        if (toStop.Count == 0)
            return;
        foreach (var device in toStop.GroupBy(lease => lease.Device))
        {
            var leases = device.ToArray();
            InBackground(() => parts.Dispatcher.StopAsync(device.Key, leases, stopped.Token));
        }
        toStop.Clear();
    }

    private void HandOverNow(List<Assignment> work)
    {
        if (work.Count == 0)
            return;
        foreach (var (device, batch) in HandOverBatches.Of(work))
            InBackground(() => HandOverAsync(device, batch));
    }

    private async Task ReadAndHandOverAsync(List<Assignment> work)
    {
        var filled = await parts.Work.FillAsync(
            work,
            specs => inbox.Writer.TryWrite(new Input.SpecsRead(specs)),
            stopped.Token
        );
        await Task.WhenAll(HandOverBatches.Of(filled).Select(batch => HandOverAsync(batch.Device, batch.Work)));
    }

    private async Task HandOverAsync(DeviceId device, IReadOnlyList<Assignment> work)
    {
        var outcomes = await parts.Dispatcher.HandOverAsync(device, work, stopped.Token);
        inbox.Writer.TryWrite(new Input.HandedOver(outcomes));
    }

    private void TakeSpecs(IReadOnlyList<JobSpec> specs)
    {
        foreach (var spec in specs)
            memory.SetSpec(spec);
        // Its rules may allow more of it than the one shard it was given before they were known.
        hasChanged = true;
    }
}
