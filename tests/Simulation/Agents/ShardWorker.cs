using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Simulation.Tests.Clients;
using EgpuFleet.Simulation.Tests.Storage;
using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Agents;

/// <summary>Computes a leased shard and reports it, item by item, until it is done or its lease has ended.</summary>
internal sealed class ShardWorker(
    Place place,
    Dice dice,
    Func<AgentMood> mood,
    Outbox outbox,
    ClientLog log,
    Trace trace
)
{
    private const int ReportItems = 100;
    private const int ReportAttempts = 60;
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(1);

    // Tells every result ever computed from every other, so that a second one for an item cannot pass for the first.
    private readonly int marks = dice.Next(1 << 30);
    private int computed;

    public async Task RunAsync(HeldShard shard)
    {
        trace.Note(place.Host, $"runs {OperationText.Of(shard.Key.Shard)}@{shard.Key.Epoch}");
        try
        {
            var (last, failure) = await ComputeAsync(shard);
            shard.IsComputing = false;
            var outcome = failure is null ? ShardOutcome.Finished : ShardOutcome.Failed;
            await SendAsync(shard, new ShardReport(shard.Key, outcome, last, failure));
            trace.Note(place.Host, $"{outcome} {OperationText.Of(shard.Key.Shard)}@{shard.Key.Epoch}");
        }
        catch (OperationCanceledException) when (shard.EndReason is not null)
        {
            trace.Note(place.Host, $"drops {OperationText.Of(shard.Key.Shard)}@{shard.Key.Epoch}: {shard.EndReason}");
        }
    }

    /// <summary>Returns the results not reported yet, and why it cannot go on here, if so.</summary>
    private async Task<(IReadOnlyList<ItemResult>, ShardFailure?)> ComputeAsync(HeldShard shard)
    {
        var batch = new List<ItemResult>();
        var reportedAt = place.Clock.GetTimestamp();
        var failure = Failure();
        var items = shard.Assignment.Items;
        var done = failure is null ? items.Count : dice.Next(items.Count + 1);
        foreach (var item in items.Take(done))
        {
            await Task.Delay(Duration(shard.Assignment), place.Clock, shard.Ended);
            batch.Add(Result(shard, item));
            if (batch.Count < ReportItems && place.Clock.GetElapsedTime(reportedAt) < ReportEvery)
                continue;
            if (item != items[done - 1])
            {
                await SendAsync(shard, new ShardReport(shard.Key, ShardOutcome.Progress, [.. batch], Failure: null));
                batch.Clear();
                if (dice.Chance(mood().RepeatChance))
                    batch.Add(Result(shard, items[0]));
                reportedAt = place.Clock.GetTimestamp();
            }
        }
        return (batch, failure);
    }

    private async Task SendAsync(HeldShard shard, ShardReport report)
    {
        var pause = FirstRetry;
        for (var attempt = 0; attempt < ReportAttempts; attempt++)
        {
            if (mood().WaitsForDeadline && shard.Left > TimeSpan.Zero)
                await Task.Delay(shard.Left - dice.Between(TimeSpan.Zero, shard.Left / 1000), place.Clock, shard.Ended);
            if (!shard.Check())
                throw new OperationCanceledException(shard.Ended);
            if (await TrySendAsync(report) is { } reply)
            {
                if (reply == ReportReply.Fenced)
                    shard.End("it was fenced");
                else
                    log.AcceptedReports.Add(report);
                shard.Ended.ThrowIfCancellationRequested();
                return;
            }
            await Task.Delay(pause, place.Clock, shard.Ended);
            pause = pause * 2 < LastRetry ? pause * 2 : LastRetry;
        }
        shard.End("its report found no answer");
        throw new OperationCanceledException(shard.Ended);
    }

    private async Task<ReportReply?> TrySendAsync(ShardReport report)
    {
        try
        {
            return await outbox.SendAsync(report);
        }
        // Whatever kept it from being answered: tried again while the lease lives.
        catch (Exception why) when (why is not OperationCanceledException)
        {
            return null;
        }
    }

    private ShardFailure? Failure()
    {
        if (dice.Chance(mood().FatalChance))
            return new ShardFailure("model_invalid", "It never will.", Retryable: false);
        return dice.Chance(mood().FailureChance)
            ? new ShardFailure("worker_lost", "The worker died.", Retryable: true)
            : null;
    }

    private TimeSpan Duration(ShardAssignment assignment)
    {
        var duration = assignment.Noop is { } noop
            ? TimeSpan.FromMilliseconds(noop.DurationMilliseconds)
            : dice.Between(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(300));
        return duration * mood().Slowness;
    }

    private ItemResult Result(HeldShard shard, BatchItem item)
    {
        var isError = dice.Chance(mood().ItemErrorChance);
        return new ItemResult(
            item.Index,
            item.CustomId,
            isError ? null : Text(shard.Assignment, item),
            isError ? null : "stop",
            PromptTokens: 1,
            CompletionTokens: 1,
            isError ? "context_length_exceeded" : null,
            isError ? "Too long." : null,
            shard.Key.Device,
            WorkerProcessId: marks,
            shard.Key.Epoch,
            DurationMilliseconds: computed++
        );
    }

    private static string Text(ShardAssignment assignment, BatchItem item) =>
        assignment.Kind == JobKind.Noop
            ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(item.Prompt ?? "")))
            : $"answer to {item.Prompt}";
}
