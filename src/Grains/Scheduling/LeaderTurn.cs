using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Memory;
using EgpuFleet.Grains.Scheduling.Policy;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>
/// One term as leader: a single reader of one channel of inputs, which alone owns the pool's memory. Jobs and shards do not
/// change in memory before the ledger has it; plans, reports and submits go to the ledger side by side and come back in
/// order. Nothing here costs more for a million jobs that wait than for one.
/// </summary>
internal sealed partial class LeaderTurn : IDisposable
{
    private const int InputsPerStep = 1024;
    private const int PlansPerStep = 4;

    private readonly LeaderTerm term;
    private readonly SchedulerParts parts;
    private readonly SchedulingOptions options;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stopped = new();
    private readonly Channel<Input> inbox = Channel.CreateUnbounded<Input>(new() { SingleReader = true });
    private readonly ConcurrentDictionary<Task, byte> rim = new();
    private readonly PoolMemory memory;
    private readonly CommitPipeline commits;
    private int pendingInputs;
    private bool hasChanged = true;
    private string? goodbye;

    /// <param name="fleet">What is known of the fleet already: of the term before, or nothing.</param>
    public LeaderTurn(Leadership won, SchedulerParts parts, FleetView fleet)
    {
        term = won.Term;
        this.parts = parts;
        options = parts.Options;
        logger = parts.Logger;
        memory = new PoolMemory(options, fleet) { Now = Now };
        memory.Clock.Read(won.Now, Now);
        commits = new CommitPipeline(
            parts.Ledger,
            term,
            () => inbox.Writer.TryWrite(Input.CommitReturned.Instance),
            stopped.Token
        );
    }

    private TimeSpan Now => parts.Now;

    /// <summary>Hands an input in from outside; false when the turn has ended or too many wait.</summary>
    public bool TryPost(Input input)
    {
        if (Interlocked.Increment(ref pendingInputs) <= Limits.MaxPendingInputs && inbox.Writer.TryWrite(input))
            return true;
        Interlocked.Decrement(ref pendingInputs);
        return false;
    }

    /// <summary>Whether another leader has taken over: then nothing of this term goes on.</summary>
    public bool IsDeposed { get; private set; }

    /// <summary>What outlives the turn when only the ledger was away; call it when the turn has ended.</summary>
    public Interregnum Leave() => new(memory.Fleet, memory.Leases, term.Epoch, Now, options);

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
            var recovery = new Recovery(parts.Ledger, options);
            await recovery.LoadAsync(memory, term.Pool, () => Now, cancellationToken);
            LogLeading(logger, term.Pool, term.Epoch, memory.Count, memory.Leases.Count);
            TakeUpWhereLeft();
            InBackground(TickAsync(stopped.Token));
            serving(true);
            await LoopAsync();
        }
        catch (LeaderFencedException)
        {
            IsDeposed = true;
            throw;
        }
        catch (LedgerUnavailableException unavailable)
        {
            // The reason (a full disk, say) is what its callers need to hear.
            goodbye = unavailable.Message;
            throw;
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
            for (var i = 0; i < PlansPerStep && Decide() is { } plan; i++)
            {
                MakeDurable(plan);
                Log(plan);
            }
            Tell();
        }
    }

    /// <summary>See: what became durable, then what is new, in the order it came.</summary>
    private void See()
    {
        memory.Now = Now;
        commits.TakeReturned();
        for (var taken = 0; taken < InputsPerStep && inbox.Reader.TryRead(out var input); taken++)
            Take(input);
        SendSubmits();
    }

    /// <summary>Decide: the plan for what memory knows now; null while nothing has changed, no slot is free or nothing fits.</summary>
    private Plan? Decide()
    {
        if (!hasChanged)
            return null;
        hasChanged = false;
        if (memory.Snapshot() is not { Queue.IsEmpty: false } snapshot)
            return null;
        var plan = Planner.Plan(snapshot);
        return plan.Placements.IsEmpty ? null : plan;
    }

    private void Log(Plan plan) => LogPlanned(logger, plan.Placements.Length, memory.Count);

    private void Take(Input input)
    {
        switch (input)
        {
            case Input.CommitReturned:
                commits.TakeReturned();
                return;
            case Input.SpecsRead(var specs):
                TakeSpecs(specs);
                return;
            case Input.HandedOver(var outcomes):
                TakeHandOvers(outcomes);
                return;
            case Input.ClockRead(var database, var at):
                memory.Clock.Read(database, at);
                return;
            case Input.ModelFound(var shape, var model):
                shape.Model = model;
                hasChanged = true;
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
                look.AnswerFrom(memory);
                break;
        }
    }

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
                var database = await parts.Ledger.RenewLeadershipAsync(term, options.LeaderLease, cancellationToken);
                inbox.Writer.TryWrite(new Input.ClockRead(database ?? throw new LeaderFencedException(term), Now));
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

    /// <summary>Runs beside the loop; a failure that is not an outcome ends the turn.</summary>
    private void InBackground(Func<Task> work) => InBackground(GuardAsync(work));

    private async Task GuardAsync(Func<Task> work)
    {
        try
        {
            await work();
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
        var gone = new PoolUnavailableException(goodbye ?? $"Pool '{term.Pool}' is changing its leader.");
        commits.Abandon(gone);
        AbandonSubmits(gone);
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
