using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>
/// Hands operations to the ledger without waiting, so that its group commit makes one fsync of many, and gives the outcomes
/// back strictly in the order in which the operations were sent.
/// </summary>
/// <param name="wake">Called from any thread when a commit has returned.</param>
internal sealed class CommitPipeline(ILedger ledger, LeaderTerm term, Action wake, CancellationToken stopped)
{
    private readonly Queue<Sent> inFlight = new();
    private int isAwake;

    private sealed record Sent(
        Task<IReadOnlyList<LedgerOutcome>> Commit,
        Action<IReadOnlyList<LedgerOutcome>> Then,
        Action<Exception> Abandon,
        Action<Exception>? Rejected
    );

    public int Count => inFlight.Count;

    /// <summary>Sends a list of operations, all of one transaction.</summary>
    /// <param name="then">Takes the outcomes in, on the loop; not called when the commit failed.</param>
    /// <param name="abandon">Called instead when the turn ends without knowing the outcome.</param>
    /// <param name="rejected">Called instead when the ledger cannot store the operations at all; none: that ends the turn.</param>
    public void Send(
        IReadOnlyList<LedgerOperation> operations,
        Action<IReadOnlyList<LedgerOutcome>> then,
        Action<Exception> abandon,
        Action<Exception>? rejected = null
    )
    {
        var commit = CommitAsync(operations);
        inFlight.Enqueue(new Sent(commit, then, abandon, rejected));
        commit.GetAwaiter().OnCompleted(Wake);
    }

    /// <summary>Takes in every commit that has returned, as far as its predecessors have.</summary>
    /// <exception cref="LeaderFencedException">The term is over.</exception>
    /// <exception cref="LedgerUnavailableException">The outcome is not known.</exception>
    public void TakeReturned()
    {
        Volatile.Write(ref isAwake, 0);
        while (inFlight.TryPeek(out var oldest) && oldest.Commit.IsCompleted)
        {
            if (oldest is { Rejected: { } reject, Commit.Exception.InnerException: InvalidOperationException why })
            {
                inFlight.Dequeue();
                reject(why);
                continue;
            }
            // Throws what the commit threw; the entry then stays and is abandoned with the rest.
            var outcomes = oldest.Commit.GetAwaiter().GetResult();
            inFlight.Dequeue();
            try
            {
                oldest.Then(outcomes);
            }
            catch (Exception e)
            {
                // The turn ends by it; who asked must not wait for an answer that never comes.
                oldest.Abandon(e);
                throw;
            }
        }
    }

    /// <summary>Waits until the oldest commit has returned, well or not.</summary>
    public async Task WaitForOldestAsync()
    {
        if (inFlight.TryPeek(out var oldest))
            await Task.WhenAny(oldest.Commit);
    }

    /// <summary>Tells everyone still waiting that the turn has ended.</summary>
    public void Abandon(Exception why)
    {
        while (inFlight.TryDequeue(out var sent))
            sent.Abandon(why);
    }

    // Once for all that return before the loop looks.
    private void Wake()
    {
        if (Interlocked.Exchange(ref isAwake, 1) == 0)
            wake();
    }

    private async Task<IReadOnlyList<LedgerOutcome>> CommitAsync(IReadOnlyList<LedgerOperation> operations) =>
        await ledger.CommitAsync(term, operations, stopped);
}
