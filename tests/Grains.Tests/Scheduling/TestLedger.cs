using System.Collections.Concurrent;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.TestKit.Ledgers;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>A ledger that can hold commits back, lose their answers, or be away; and that tells when anything was committed.</summary>
internal sealed class TestLedger(ILedger inner, TimeProvider time) : PassingLedger(inner)
{
    private readonly ConcurrentQueue<TaskCompletionSource> held = new();
    private volatile TaskCompletionSource changed = NewSignal();
    private int workReads;

    /// <summary>Whether the leader's renewals reach the ledger.</summary>
    public bool LosesRenewals { get; set; }

    /// <summary>Makes every commit fail after it was carried out.</summary>
    public bool LosesAnswers { get; set; }

    /// <summary>Makes a commit that has such an operation fail as if the database did not answer; nothing is carried out.</summary>
    public Func<LedgerOperation, bool> Loses { get; set; } = _ => false;

    /// <summary>Nothing of the database answers.</summary>
    public bool IsAway { get; set; }

    /// <summary>Whether a scheduler has won its leadership and not given it back.</summary>
    public bool IsLed { get; private set; }

    /// <summary>How wrong the time is that it tells with its renewals.</summary>
    public TimeSpan ClockAhead { get; set; }

    /// <summary>Makes a commit that has such an operation fail as one the database cannot store.</summary>
    public Func<LedgerOperation, bool> Rejects { get; set; } = _ => false;

    /// <summary>Operations of every commit, in the order they were sent.</summary>
    public ConcurrentQueue<IReadOnlyList<LedgerOperation>> Sent { get; } = new();

    /// <summary>Waits until so many commits are carried out and not answered.</summary>
    public async Task UntilHeldAsync(int count)
    {
        while (true)
        {
            var next = Changed;
            if (held.Count >= count)
                return;
            await next.WaitAsync(Rig.Patience);
        }
    }

    /// <summary>Completes when something is committed after the call.</summary>
    public Task Changed => changed.Task;

    /// <summary>Which commits are carried out but not answered until they are let go.</summary>
    public Func<IReadOnlyList<LedgerOperation>, bool> HoldsIf { get; set; } = _ => false;

    /// <summary>How often work was read.</summary>
    public int WorkReads => workReads;

    /// <summary>From now on commits are carried out but not answered until they are let go.</summary>
    public void Hold() => HoldsIf = _ => true;

    /// <summary>Answers what is held, the newest first.</summary>
    public void LetGo()
    {
        HoldsIf = _ => false;
        var all = new List<TaskCompletionSource>();
        while (held.TryDequeue(out var one))
            all.Add(one);
        all.Reverse();
        foreach (var one in all)
            one.TrySetResult();
    }

    public override async Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    )
    {
        Sent.Enqueue(operations);
        if (operations.Any(Rejects))
            throw new InvalidOperationException("The database cannot store it.");
        if (IsAway || operations.Any(Loses))
            throw NoAnswer();
        var outcomes = await Inner.CommitAsync(term, operations, cancellationToken);
        // Its continuation runs where it is let go, so that one answer is with the loop before the next is given.
        var gate = new TaskCompletionSource();
        if (HoldsIf(operations))
            held.Enqueue(gate);
        else
            gate.TrySetResult();
        Signal();
        await gate.Task.WaitAsync(cancellationToken);
        return LosesAnswers ? throw new LedgerUnavailableException("The answer was lost.") : outcomes;
    }

    public override Task<IReadOnlyList<ShardWork>> ReadWorkAsync(
        IReadOnlyList<WorkRange> ranges,
        int maxBytesPerShard,
        CancellationToken cancellationToken
    )
    {
        Interlocked.Increment(ref workReads);
        return Inner.ReadWorkAsync(ranges, maxBytesPerShard, cancellationToken);
    }

    public override async Task<DateTimeOffset?> RenewLeadershipAsync(
        LeaderTerm term,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
    {
        if (IsAway)
            throw NoAnswer();
        return LosesRenewals
            ? time.GetUtcNow()
            : await Inner.RenewLeadershipAsync(term, duration, cancellationToken) + ClockAhead;
    }

    public override Task<Leadership?> AcquireLeadershipAsync(
        PoolId pool,
        string holder,
        TimeSpan duration,
        CancellationToken cancellationToken
    ) => IsAway ? throw NoAnswer() : NoteAsync(Inner.AcquireLeadershipAsync(pool, holder, duration, cancellationToken));

    public override Task ReleaseLeadershipAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        IsLed = false;
        return Inner.ReleaseLeadershipAsync(term, cancellationToken);
    }

    private async Task<Leadership?> NoteAsync(Task<Leadership?> acquiring)
    {
        var won = await acquiring;
        IsLed |= won is not null;
        return won;
    }

    private static LedgerUnavailableException NoAnswer() => new("The database does not answer.");

    private void Signal() => Interlocked.Exchange(ref changed, NewSignal()).TrySetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
