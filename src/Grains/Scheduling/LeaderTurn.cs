using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Policy;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>
/// One term as leader: a single reader of one channel of inputs, which alone owns the pool's memory. Nothing changes in
/// memory before the ledger has it; reports and submits go to the ledger side by side and come back in order.
/// </summary>
internal sealed partial class LeaderTurn : IDisposable
{
    private const int InputsPerStep = 1024;

    private readonly LeaderTerm term;
    private readonly SchedulerParts parts;
    private readonly SchedulingOptions options;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stopped = new();
    private readonly Channel<Input> inbox = Channel.CreateUnbounded<Input>(new() { SingleReader = true });
    private readonly ConcurrentDictionary<Task, byte> rim = new();
    private readonly PoolMemory memory;
    private readonly CommitPipeline commits;
    private readonly List<Assignment> toStart = [];
    private readonly List<LeaseKey> toStop = [];
    private readonly long startedAt;
    private int pendingInputs;
    private bool isPlanInFlight;
    private bool hasChanged = true;

    public LeaderTurn(LeaderTerm term, SchedulerParts parts)
    {
        this.term = term;
        this.parts = parts;
        options = parts.Options;
        logger = parts.Logger;
        memory = new PoolMemory(options);
        commits = new CommitPipeline(
            parts.Ledger,
            term,
            () => inbox.Writer.TryWrite(new Input.CommitReturned()),
            stopped.Token
        );
        startedAt = parts.Time.GetTimestamp();
    }

    private TimeSpan Now => parts.Time.GetElapsedTime(startedAt);

    /// <summary>Hands an input in from outside; false when the turn has ended or too many wait.</summary>
    public bool TryPost(Input input)
    {
        if (Interlocked.Increment(ref pendingInputs) <= Limits.MaxPendingInputs && inbox.Writer.TryWrite(input))
            return true;
        Interlocked.Decrement(ref pendingInputs);
        return false;
    }

    /// <summary>Leads until the term is over, the ledger does not answer, or the caller stops it.</summary>
    /// <param name="serving">Told true once memory is rebuilt and inputs are welcome, and false before anyone is turned away.</param>
    /// <exception cref="LeaderFencedException">Another leader has taken over.</exception>
    /// <exception cref="LedgerUnavailableException">The ledger does not answer.</exception>
    /// <exception cref="StaleMemoryException">The ledger knows better.</exception>
    public async Task RunAsync(Action<bool> serving, CancellationToken cancellationToken)
    {
        using var stopping = cancellationToken.Register(() =>
            inbox.Writer.TryWrite(new Input.TermEnded(new OperationCanceledException(cancellationToken)))
        );
        InBackground(RenewAsync(stopped.Token));
        try
        {
            var recovery = new Recovery(parts.Ledger, parts.Models, options);
            await recovery.LoadAsync(memory, term.Pool, () => Now, cancellationToken);
            LogLeading(logger, term.Pool, term.Epoch, memory.Jobs.Count, memory.Leases.Count);
            CompleteJobsDone();
            InBackground(TickAsync(stopped.Token));
            serving(true);
            await LoopAsync();
        }
        finally
        {
            serving(false);
            await EndAsync();
        }
    }

    private async Task LoopAsync()
    {
        while (await inbox.Reader.WaitToReadAsync())
        {
            await WaitForRoomAsync();
            See();
            var plan = Decide();
            MakeDurable(plan);
            Tell();
            Log(plan);
        }
    }

    /// <summary>See: what became durable, then what is new, in the order it came.</summary>
    private void See()
    {
        commits.TakeReturned();
        for (var taken = 0; taken < InputsPerStep && inbox.Reader.TryRead(out var input); taken++)
            Take(input);
    }

    /// <summary>Decide: the plan for what memory knows now; null while nothing has changed or an earlier plan is on its way.</summary>
    private Plan? Decide()
    {
        if (isPlanInFlight || !hasChanged)
            return null;
        hasChanged = false;
        var plan = Planner.Plan(memory.Snapshot(Now));
        memory.Refusals = plan.Refusals;
        return plan;
    }

    /// <summary>Make durable: the plan becomes leases only when the ledger says so.</summary>
    private void MakeDurable(Plan? plan)
    {
        if (plan is null || plan.Placements.IsEmpty)
            return;
        isPlanInFlight = true;
        var operations = PlanOperations.For(plan, memory);
        Commit(operations, outcomes => TakePlan(operations, outcomes), _ => { });
    }

    /// <summary>Tell: hand over what was leased, stop what ended; answers come back as inputs.</summary>
    private void Tell()
    {
        foreach (var work in toStart)
        {
            // Cancelled in the same step: its device need not hear of it.
            if (memory.Leases.IsLive(work.Lease))
                InBackground(HandOverAsync(work));
        }
        foreach (var lease in toStop)
            InBackground(parts.Dispatcher.StopAsync(lease, stopped.Token));
        toStart.Clear();
        toStop.Clear();
    }

    private void Log(Plan? plan)
    {
        if (plan is { Placements.IsEmpty: false })
            LogPlanned(logger, plan.Placements.Length, plan.Refusals.Count);
    }

    private void Take(Input input)
    {
        switch (input)
        {
            case Input.CommitReturned:
                commits.TakeReturned();
                return;
            case Input.HandedOver(var outcome):
                TakeHandOver(outcome);
                return;
            case Input.TermEnded(var why):
                ExceptionDispatchInfo.Throw(why);
                return;
            case Input.Tick:
                TakeTick();
                return;
        }
        Interlocked.Decrement(ref pendingInputs);
        TakeFromOutside(input);
    }

    private void TakeFromOutside(Input input)
    {
        switch (input)
        {
            case Input.Submit submit:
                TakeSubmit(submit);
                break;
            case Input.Cancel cancel:
                TakeCancel(cancel);
                break;
            case Input.Steer steer:
                TakeSteer(steer);
                break;
            case Input.Report report:
                TakeReport(report);
                break;
            case Input.Heartbeat heartbeat:
                TakeHeartbeat(heartbeat);
                break;
            case Input.NodeDied(var node):
                TakeNodeDied(node);
                break;
            case Input.ILook look:
                look.AnswerFrom(memory, Now);
                break;
        }
    }

    /// <summary>Sends operations to the ledger; when they are durable, memory takes them in before <paramref name="then"/>.</summary>
    private void Commit(
        IReadOnlyList<LedgerOperation> operations,
        Action<IReadOnlyList<LedgerOutcome>> then,
        Action<Exception> abandon,
        Action<Exception>? rejected = null
    ) =>
        commits.Send(
            operations,
            outcomes =>
            {
                for (var i = 0; i < operations.Count; i++)
                {
                    if (outcomes[i].Applied)
                        TakeDurable(operations[i], outcomes[i]);
                }
                then(outcomes);
                CompleteJobsDone(operations);
            },
            abandon,
            rejected
        );

    private async Task WaitForRoomAsync()
    {
        while (commits.Count >= Limits.MaxCommitsInFlight)
        {
            await commits.WaitForOldestAsync();
            commits.TakeReturned();
        }
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.LeaderRenew, parts.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                if (await parts.Ledger.RenewLeadershipAsync(term, options.LeaderLease, cancellationToken) is null)
                    throw new LeaderFencedException(term);
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            inbox.Writer.TryWrite(new Input.TermEnded(exception));
        }
    }

    private async Task TickAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.Tick, parts.Time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
            inbox.Writer.TryWrite(new Input.Tick());
    }

    private async Task HandOverAsync(Assignment work)
    {
        try
        {
            var outcome = await parts.Dispatcher.HandOverAsync(work, stopped.Token);
            inbox.Writer.TryWrite(new Input.HandedOver(outcome));
        }
        catch (Exception exception) when (!stopped.IsCancellationRequested)
        {
            inbox.Writer.TryWrite(new Input.TermEnded(exception));
        }
    }

    private void InBackground(Task task)
    {
        if (task.IsCompleted || !rim.TryAdd(task, 0))
            return;
        task.GetAwaiter().OnCompleted(() => rim.TryRemove(task, out _));
    }

    /// <summary>Nothing of the turn outlives it: whoever still waits is told to come back.</summary>
    private async Task EndAsync()
    {
        inbox.Writer.TryComplete();
        Stop();
        var gone = new PoolUnavailableException($"Pool '{term.Pool}' is changing its leader.");
        commits.Abandon(gone);
        while (inbox.Reader.TryRead(out var input))
            input.Abandon(gone);
        parts.Metrics.StopLeading();
        const ConfigureAwaitOptions here = ConfigureAwaitOptions.ContinueOnCapturedContext;
        await Task.WhenAll(rim.Keys).ConfigureAwait(here | ConfigureAwaitOptions.SuppressThrowing);
    }

    // Not CancelAsync, which goes to the thread pool: the turn stays in the context it was started in.
    private void Stop() => stopped.Cancel();

    public void Dispose() => stopped.Dispose();
}
