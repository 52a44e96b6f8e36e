using System.Diagnostics;
using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Memory;
using EgpuFleet.Grains.Scheduling.Policy;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>
/// The scheduler of one pool: competes for the pool's leader lease, leads while it holds it, and forgets everything when
/// another has it. Calls may come from any thread; each throws <see cref="PoolUnavailableException"/> while this is not
/// leading, but heartbeats are answered on while only the ledger is away.
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
    private readonly SchedulerParts parts = new(
        ledger,
        models,
        new Dispatcher(devices, options, time, loggers.CreateLogger<Dispatcher>()),
        new WorkReader(ledger, options),
        options,
        new EventSignals(time),
        metrics,
        time,
        loggers.CreateLogger<SchedulerLoop>()
    );
    private volatile LeaderTurn? turn;
    private volatile Interregnum? interregnum;
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
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await CompeteAsync(cancellationToken);
                await Task.Delay(options.LeaderPoll, time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                Forget();
                return;
            }
        }
    }

    /// <inheritdoc cref="IPoolGrain.Submit"/>
    public async Task<SubmitReply> SubmitAsync(SubmitRequest request, CancellationToken cancellationToken = default) =>
        (await SubmitAsync([request], cancellationToken))[0];

    /// <inheritdoc cref="IPoolGrain.SubmitMany"/>
    public async Task<SubmitReply[]> SubmitAsync(
        SubmitRequest[] requests,
        CancellationToken cancellationToken = default
    )
    {
        var admitted = await Admission.LookAsync(requests, models, cancellationToken);
        if (admitted.Requests.Length > 0)
            admitted.Take(await AskAsync(new Input.Submit(admitted.Requests, admitted.Models)));
        return admitted.Replies;
    }

    /// <inheritdoc cref="IPoolGrain.Cancel"/>
    public async Task<JobRecord?> CancelAsync(JobId job, CancellationToken cancellationToken = default)
    {
        await AskAsync(new Input.Cancel(job));
        JobRecord? record;
        try
        {
            record = await ledger.FindJobAsync(job, cancellationToken);
        }
        catch (LedgerUnavailableException unavailable)
        {
            throw new PoolUnavailableException(unavailable.Message);
        }
        // A leader deposed without knowing it has never heard of its successor's jobs: such a cancel was not done.
        return record is null || JobLifecycle.IsTerminal(record.State) ? record : throw NotLeading();
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
    public Task<ReportReply[]> ReportAsync(ShardReport[] reports) =>
        reports.Length == 0 ? Task.FromResult<ReportReply[]>([]) : AskAsync(new Input.Report(reports));

    /// <inheritdoc cref="IPoolGrain.Report"/>
    public async Task<ReportReply> ReportAsync(ShardReport report) => (await ReportAsync([report]))[0];

    /// <inheritdoc cref="IPoolGrain.Heartbeat"/>
    public Task<HeartbeatReply> HeartbeatAsync(NodeHeartbeat heartbeat)
    {
        if (turn is null && interregnum?.Hear(heartbeat, parts.Now, time.GetUtcNow()) is { } reply)
            return Task.FromResult(reply);
        return AskAsync(new Input.Heartbeat(heartbeat));
    }

    /// <inheritdoc cref="IPoolGrain.GetFleet"/>
    public Task<IReadOnlyList<NodeView>> GetFleetAsync() => LookAsync(memory => memory.Fleet.Views(memory.Now));

    /// <inheritdoc cref="IPoolGrain.ExplainWaiting"/>
    public Task<IReadOnlyDictionary<JobId, Refusal>> ExplainWaitingAsync(IReadOnlyList<JobId> jobs) =>
        LookAsync<IReadOnlyDictionary<JobId, Refusal>>(memory =>
            jobs.Distinct()
                .Select(job => (job, why: WaitReasons.Of(job, memory)))
                .Where(pair => pair.why is not null)
                .ToDictionary(pair => pair.job, pair => pair.why!)
        );

    /// <inheritdoc cref="IPoolGrain.Route"/>
    public Task<RouteReply> RouteAsync(RouteRequest request) =>
        LookAsync(memory => Router.Route(memory.Fleet.Slots(memory.Leases, memory.Now), request));

    /// <inheritdoc cref="IPoolGrain.WaitForEvents"/>
    public Task WaitForEventsAsync(JobId job, long afterSequence, CancellationToken cancellationToken)
    {
        _ = turn ?? throw NotLeading();
        return parts.Signals.WaitAsync(job, afterSequence, options.EventWait, cancellationToken);
    }

    /// <summary>Membership has declared a node dead. Lost when not leading: a new leader hears of no dead node.</summary>
    public void NodeDied(NodeId node)
    {
        if (turn is { } leading)
            leading.TryPost(new Input.NodeDied(node));
        else
            interregnum?.NodeDied(node);
    }

    private async Task CompeteAsync(CancellationToken cancellationToken)
    {
        LeaderTerm? term = null;
        try
        {
            var won = await ledger.AcquireLeadershipAsync(pool, holder, options.LeaderLease, cancellationToken);
            if (won?.Term.Epoch is not { } epoch || interregnum?.IsFollowedBy(epoch) == false)
                Forget();
            if (won is null)
                return;
            term = won.Term;
            using var mine = new LeaderTurn(won, parts, interregnum?.Fleet ?? new FleetView(options.SilentAfter));
            await mine.RunAsync(isServing => Serve(mine, isServing), cancellationToken);
        }
        catch (Exception exception) when (IsEndOfTerm(exception))
        {
            if (exception is LeaderFencedException)
                Forget();
            // Nothing is lost by not winning; the ledger says itself that it is away.
            if (term is not null)
                LogStoppedLeading(parts.Logger, exception, pool, exception.Message);
        }
        finally
        {
            parts.Signals.ReleaseAll();
            if (term is not null)
                await ReleaseAsync(term);
        }
    }

    private void Serve(LeaderTurn mine, bool isServing)
    {
        if (isServing)
        {
            Forget();
            turn = mine;
            leads.TrySetResult();
            return;
        }
        if (turn is null)
            return;
        interregnum = mine.IsDeposed ? null : mine.Leave();
        turn = null;
        leads = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private void Forget()
    {
        interregnum?.End();
        interregnum = null;
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
            LogNotReleased(parts.Logger, exception, pool);
        }
    }

    private Task<TReply> LookAsync<TReply>(Func<PoolMemory, TReply> question) =>
        AskAsync(new Input.Look<TReply>(question));

    private Task<TReply> AskAsync<TReply>(Input.Asked<TReply> input)
    {
        var leading = turn ?? throw NotLeading();
        if (!leading.TryPost(input))
            throw new PoolUnavailableException($"The scheduler of pool '{pool}' has too much to do, or is stopping.");
        return input.Answer;
    }

    private PoolUnavailableException NotLeading() => new($"The scheduler of pool '{pool}' is not leading yet.");

    [LoggerMessage(Level = LogLevel.Warning, Message = "No longer leading pool {Pool}: {Reason}")]
    private static partial void LogStoppedLeading(ILogger logger, Exception exception, PoolId pool, string reason);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "The leader lease of pool {Pool} was not given back; it runs out."
    )]
    private static partial void LogNotReleased(ILogger logger, Exception exception, PoolId pool);
}
