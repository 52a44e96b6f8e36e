using System.Diagnostics;
using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Policy;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>
/// The scheduler of one pool: competes for the pool's leader lease, leads while it holds it, and forgets everything when
/// it is lost. Calls may come from any thread; each throws <see cref="PoolUnavailableException"/> while this is not leading.
/// </summary>
/// <param name="holder">Names this process and this instance among all that compete.</param>
public sealed partial class SchedulerLoop(
    PoolId pool,
    string holder,
    ILedger ledger,
    IModelCatalog models,
    IDeviceCalls devices,
    SchedulingOptions options,
    FleetMetrics metrics,
    TimeProvider time,
    ILoggerFactory loggers
)
{
    private readonly ILogger logger = loggers.CreateLogger<SchedulerLoop>();
    private readonly EventSignals signals = new(time);
    private volatile LeaderTurn? turn;
    private volatile TaskCompletionSource leads = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether calls are served here now.</summary>
    public bool IsLeading => turn is not null;

    /// <summary>Completes when calls are served here, now or later.</summary>
    public Task UntilLeadingAsync() => leads.Task;

    /// <summary>Competes and leads until it is stopped; then the lease is given back.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // The loop outlives whatever request happened to start it, and must not report into its trace.
        Activity.Current = null;
        var dispatcher = new Dispatcher(ledger, devices, options, time, loggers.CreateLogger<Dispatcher>());
        var parts = new SchedulerParts(ledger, models, dispatcher, options, signals, metrics, time, logger);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await CompeteAsync(parts, cancellationToken);
                await Task.Delay(options.LeaderPoll, time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <inheritdoc cref="IPoolGrain.Submit"/>
    public async Task<SubmitReply> SubmitAsync(SubmitRequest request, CancellationToken cancellationToken = default)
    {
        var spec = request.Spec;
        if (spec.ItemCount is < 1 or > Limits.MaxItemsPerJob)
            return Refused(spec, RefusalCode.TooLarge, $"A job has 1 to {Limits.MaxItemsPerJob} items.");
        ModelRecord? model = null;
        if (spec.Model is { } named && (model = await models.FindAsync(named, cancellationToken)) is null)
            return Refused(spec, RefusalCode.ModelNotFound, $"No model '{named.Name}' is registered.");
        return await AskAsync(new Input.Submit(spec, request.IdempotencyKey, request.Items, model));
    }

    /// <inheritdoc cref="IPoolGrain.Cancel"/>
    public async Task<JobRecord?> CancelAsync(JobId job, CancellationToken cancellationToken = default)
    {
        await AskAsync(new Input.Cancel(job));
        try
        {
            return await ledger.FindJobAsync(job, cancellationToken);
        }
        catch (LedgerUnavailableException unavailable)
        {
            throw new PoolUnavailableException(unavailable.Message);
        }
    }

    /// <inheritdoc cref="IPoolGrain.Steer"/>
    public async Task<SteerReply> SteerAsync(
        JobId job,
        JobSteering steering,
        CancellationToken cancellationToken = default
    )
    {
        var applied = await AskAsync(new Input.Steer(job, steering));
        try
        {
            return new SteerReply(await ledger.FindJobAsync(job, cancellationToken), applied);
        }
        catch (LedgerUnavailableException unavailable)
        {
            throw new PoolUnavailableException(unavailable.Message);
        }
    }

    /// <inheritdoc cref="IPoolGrain.Report"/>
    public Task<ReportReply> ReportAsync(ShardReport report) => AskAsync(new Input.Report(report));

    /// <inheritdoc cref="IPoolGrain.Heartbeat"/>
    public Task<HeartbeatReply> HeartbeatAsync(NodeHeartbeat heartbeat) => AskAsync(new Input.Heartbeat(heartbeat));

    /// <inheritdoc cref="IPoolGrain.GetFleet"/>
    public Task<IReadOnlyList<NodeView>> GetFleetAsync() => LookAsync((memory, now) => memory.Fleet.Views(now));

    /// <inheritdoc cref="IPoolGrain.ExplainWaiting"/>
    public Task<IReadOnlyDictionary<JobId, Refusal>> ExplainWaitingAsync(IReadOnlyList<JobId> jobs) =>
        LookAsync<IReadOnlyDictionary<JobId, Refusal>>(
            (memory, _) =>
                jobs.Distinct()
                    .Select(job => (job, why: memory.WhyWaiting(job)))
                    .Where(pair => pair.why is not null)
                    .ToDictionary(pair => pair.job, pair => pair.why!)
        );

    /// <inheritdoc cref="IPoolGrain.Route"/>
    public Task<RouteReply> RouteAsync(RouteRequest request) =>
        LookAsync((memory, now) => Router.Route(memory.Snapshot(now), request.Model, request.Except));

    /// <inheritdoc cref="IPoolGrain.WaitForEvents"/>
    public Task WaitForEventsAsync(JobId job, long afterSequence, CancellationToken cancellationToken)
    {
        _ = turn ?? throw NotLeading();
        return signals.WaitAsync(job, afterSequence, options.EventWait, cancellationToken);
    }

    /// <summary>Membership has declared a node dead. Lost when not leading: a new leader hears of no dead node.</summary>
    public void NodeDied(NodeId node) => turn?.TryPost(new Input.NodeDied(node));

    private async Task CompeteAsync(SchedulerParts parts, CancellationToken cancellationToken)
    {
        LeaderTerm? term = null;
        try
        {
            var won = await ledger.AcquireLeadershipAsync(pool, holder, options.LeaderLease, cancellationToken);
            if (won is null)
                return;
            term = won.Term;
            using var mine = new LeaderTurn(term, parts);
            await mine.RunAsync(isServing => Serve(isServing ? mine : null), cancellationToken);
        }
        catch (Exception exception) when (IsEndOfTerm(exception))
        {
            LogStoppedLeading(logger, exception, pool, exception.Message);
        }
        finally
        {
            signals.ReleaseAll();
            if (term is not null)
                await ReleaseAsync(term);
        }
    }

    private void Serve(LeaderTurn? leading)
    {
        turn = leading;
        if (leading is not null)
            leads.TrySetResult();
        else if (leads.Task.IsCompleted)
            leads = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    // What ends a term but not the scheduler: it competes again on a fresh memory. Anything else is a broken invariant.
    private static bool IsEndOfTerm(Exception exception) =>
        exception
            is LeaderFencedException
                or LedgerUnavailableException
                or StaleMemoryException
                or OrleansException
                or TimeoutException;

    private async Task ReleaseAsync(LeaderTerm term)
    {
        try
        {
            using var limit = new CancellationTokenSource(options.LeaderLease, time);
            await ledger.ReleaseLeadershipAsync(term, limit.Token);
        }
        catch (Exception exception) when (exception is LedgerUnavailableException or OperationCanceledException)
        {
            LogNotReleased(logger, exception, pool);
        }
    }

    private Task<TReply> LookAsync<TReply>(Func<PoolMemory, TimeSpan, TReply> question) =>
        AskAsync(new Input.Look<TReply>(question));

    private Task<TReply> AskAsync<TReply>(Input.Asked<TReply> input)
    {
        var leading = turn ?? throw NotLeading();
        if (!leading.TryPost(input))
            throw new PoolUnavailableException($"The scheduler of pool '{pool}' has too much to do, or is stopping.");
        return input.Answer;
    }

    private PoolUnavailableException NotLeading() => new($"The scheduler of pool '{pool}' is not leading yet.");

    private static SubmitReply Refused(JobSpec spec, RefusalCode code, string message) =>
        new(SubmitOutcome.Refused, spec.Id, new Refusal(code, message));

    [LoggerMessage(Level = LogLevel.Warning, Message = "No longer leading pool {Pool}: {Reason}")]
    private static partial void LogStoppedLeading(ILogger logger, Exception exception, PoolId pool, string reason);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "The leader lease of pool {Pool} was not given back; it runs out."
    )]
    private static partial void LogNotReleased(ILogger logger, Exception exception, PoolId pool);
}
