using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>
/// Sends reports until they are answered, as long as their lease lives. Sending one twice is harmless: an item has one
/// result, and a finished shard is fenced.
/// </summary>
internal sealed partial class ShardReporter
{
    private readonly IShardReports reports;
    private readonly ILogger<ShardReporter> log;
    private readonly ResiliencePipeline<ReportReply> retries;

    public ShardReporter(IShardReports reports, TimeProvider time, ILogger<ShardReporter> log)
    {
        this.reports = reports;
        this.log = log;
        retries = new ResiliencePipelineBuilder<ReportReply> { TimeProvider = time }
            .AddRetry(
                new RetryStrategyOptions<ReportReply>
                {
                    // Whatever a grain call can throw: no leader, silo gone, time out. Only the lease's end is final.
                    ShouldHandle = new PredicateBuilder<ReportReply>().Handle<Exception>(e =>
                        e is not OperationCanceledException
                    ),
                    MaxRetryAttempts = Limits.ReportAttempts - 1,
                    Delay = TimeSpan.FromMilliseconds(100),
                    MaxDelay = TimeSpan.FromSeconds(1),
                    BackoffType = DelayBackoffType.Exponential,
                    OnRetry = retry =>
                    {
                        LogRetry(retry.AttemptNumber + 1, retry.Outcome.Exception?.Message);
                        return default;
                    },
                }
            )
            .Build();
    }

    /// <summary>Returns when the report is durable.</summary>
    /// <exception cref="OperationCanceledException">The lease ended, or the report was fenced, which ends it.</exception>
    /// <exception cref="ReportUnansweredException">Nobody took it for longer than it is worth trying.</exception>
    public async Task SendAsync(
        HeldLease lease,
        ShardOutcome outcome,
        IReadOnlyList<ItemResult> results,
        ShardFailure? failure
    )
    {
        var report = new ShardReport(lease.Key, outcome, [.. results], failure);
        ReportReply reply;
        try
        {
            reply = await retries.ExecuteAsync(
                async token =>
                {
                    if (!lease.Check())
                        throw new OperationCanceledException(lease.Ended);
                    return await reports.ReportAsync(report, token);
                },
                lease.Ended
            );
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new ReportUnansweredException(e);
        }
        if (reply == ReportReply.Fenced)
            lease.End("it was fenced: another epoch is current");
        lease.Ended.ThrowIfCancellationRequested();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A report was not answered (try {Attempt}): {Reason}")]
    private partial void LogRetry(int attempt, string? reason);
}

/// <summary>A report could not be delivered although its lease lives.</summary>
internal sealed class ReportUnansweredException(Exception last) : Exception(last.Message, last);
