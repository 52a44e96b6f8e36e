using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Storage;

/// <summary>How the database is now.</summary>
internal sealed record DatabaseHealth
{
    public static readonly DatabaseHealth Good = new();

    public bool IsUp { get; init; } = true;

    /// <summary>Chance that a transaction is undone and its caller told that it failed.</summary>
    public double AbortChance { get; init; }

    /// <summary>Chance that a transaction is done and its caller does not learn it.</summary>
    public double UnknownChance { get; init; }

    /// <summary>Chance that the client library tries again by itself: the operation comes late.</summary>
    public double RetryChance { get; init; }
    public TimeSpan Least { get; init; } = TimeSpan.FromMilliseconds(0.3);
    public TimeSpan Most { get; init; } = TimeSpan.FromMilliseconds(2);
}

/// <summary>
/// The database of a simulated world: the in-memory ledger behind connections that are slow, break, or lose an answer. What
/// has been sent goes on without its sender.
/// </summary>
internal sealed class Database(Clockwork clockwork, Dice dice, Trace trace)
{
    /// <summary>Its clock is the database's clock.</summary>
    public Place Place { get; } = new(clockwork, "postgres");

    public DatabaseHealth Health { get; set; } = DatabaseHealth.Good;

    private enum Fate
    {
        Done,
        Refused,
        Aborted,
        Unknown,
    }

    /// <summary>Carries out one request some time after it was sent, and answers some time after that.</summary>
    /// <param name="order">Requests of one order arrive in the order in which they were sent.</param>
    public Task<T> AskAsync<T>(
        Place client,
        ArrivalOrder order,
        string what,
        Func<Task<T>> request,
        CancellationToken cancellationToken
    )
    {
        var answer = new TaskCompletionSource<T>();
        var registration = cancellationToken.Register(() => answer.TrySetCanceled(cancellationToken));
        var due = order.Next(clockwork.Now + Latency());
        clockwork.At(due, Place, _ => Serve(client, what, request, answer), state: null);
        return EndAsync(answer.Task, registration);
    }

    private TimeSpan Latency()
    {
        var latency = dice.Between(Health.Least, Health.Most);
        return dice.Chance(Health.RetryChance)
            ? latency + dice.Between(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(3))
            : latency;
    }

    private void Serve<T>(Place client, string what, Func<Task<T>> request, TaskCompletionSource<T> answer)
    {
        var fate = Decide();
        if (fate != Fate.Done)
            trace.Note("postgres", $"{what} of {client}: {fate}");
        if (fate is Fate.Refused or Fate.Aborted)
        {
            Answer(client, () => answer.TrySetException(new LedgerUnavailableException($"{fate}.")));
            return;
        }
        var done = request();
        if (!done.IsCompleted)
            throw new InvalidOperationException("The in-memory ledger answers at once.");
        Answer(client, () => Set(answer, done, fate));
    }

    private Fate Decide()
    {
        if (!Health.IsUp)
            return Fate.Refused;
        if (dice.Chance(Health.AbortChance))
            return Fate.Aborted;
        return dice.Chance(Health.UnknownChance) ? Fate.Unknown : Fate.Done;
    }

    private void Answer(Place client, Action set) => client.After(Latency(), set);

    private static void Set<T>(TaskCompletionSource<T> answer, Task<T> done, Fate fate)
    {
        if (fate == Fate.Unknown)
            answer.TrySetException(new LedgerUnavailableException("The answer was lost."));
        else
            answer.TrySetFromTask(done);
    }

    private static async Task<T> EndAsync<T>(Task<T> answer, CancellationTokenRegistration registration)
    {
        try
        {
            return await answer;
        }
        finally
        {
            registration.Dispose();
        }
    }
}

/// <summary>Keeps requests of one sender in their order.</summary>
internal sealed class ArrivalOrder
{
    private TimeSpan last;

    /// <summary>When a request that would arrive at a moment may do so.</summary>
    public TimeSpan Next(TimeSpan due) => last = due > last ? due : last + TimeSpan.FromTicks(1);
}
