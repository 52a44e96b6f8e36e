using System.Diagnostics;

namespace EgpuFleet.Simulation.Tests.World;

/// <summary>
/// Runs everything of one simulated world on one thread. While anything is ready, the dice choose what runs next; when
/// nothing is, time jumps to the next event. Whatever reaches another thread would not be repeatable, and ends the run.
/// </summary>
internal sealed class Clockwork(Dice dice)
{
    /// <summary>Steps without time passing; far more than any real burst of work takes.</summary>
    private const int StepsWithoutTime = 200_000;

    private readonly int thread = Environment.CurrentManagedThreadId;
    private readonly List<Work> ready = [];
    private readonly PriorityQueue<Work, (TimeSpan Due, ulong Tie)> later = new();
    private volatile Exception? failure;
    private int stepsNow;

    private readonly record struct Work(Place Place, SendOrPostCallback Callback, object? State);

    /// <summary>Time since the world began.</summary>
    public TimeSpan Now { get; private set; }

    public long Steps { get; private set; }

    /// <summary>Something to do as soon as it is its turn.</summary>
    public void Post(Place place, SendOrPostCallback callback, object? state)
    {
        if (Environment.CurrentManagedThreadId != thread)
        {
            // Thrown on the thread of the simulation: here it would end the process.
            failure ??= new EscapedException(new StackTrace().ToString());
            return;
        }
        ready.Add(new Work(place, callback, state));
    }

    /// <summary>Something to do at a moment; what falls on the same moment comes in an order that the dice choose.</summary>
    public void At(TimeSpan due, Place place, SendOrPostCallback callback, object? state) =>
        later.Enqueue(new Work(place, callback, state), (due > Now ? due : Now, dice.NextBits()));

    /// <summary>The run cannot go on: a part of the simulation itself, or a task nobody looks at, has failed.</summary>
    public void Fail(Exception why) => failure ??= why;

    /// <summary>Runs until a condition holds, which is looked at whenever time is about to pass; false when the limit came first.</summary>
    public bool RunUntil(Func<bool> isDone, TimeSpan limit)
    {
        while (true)
        {
            if (ready.Count > 0)
            {
                RunReady();
                continue;
            }
            if (isDone())
                return true;
            if (!later.TryPeek(out _, out var next) || next.Due > limit)
            {
                Now = limit;
                return false;
            }
            Now = next.Due;
            stepsNow = 0;
            Run(later.Dequeue());
        }
    }

    private void RunReady()
    {
        var chosen = dice.Next(ready.Count);
        var work = ready[chosen];
        ready[chosen] = ready[^1];
        ready.RemoveAt(ready.Count - 1);
        Run(work);
    }

    private void Run(Work work)
    {
        Steps++;
        if (++stepsNow > StepsWithoutTime)
            throw new InvalidOperationException($"{StepsWithoutTime} steps at {Now} and still not quiet: a live lock.");
        if (work.Place.Admits(work.Callback, work.State))
        {
            SynchronizationContext.SetSynchronizationContext(work.Place);
            work.Callback(work.State);
        }
        if (failure is { } why)
            throw new InvalidOperationException($"The simulation broke at {Now}: {why.Message}", why);
    }
}

/// <summary>Work left the thread of the simulation, so that a seed would not repeat.</summary>
internal sealed class EscapedException(string stack)
    : Exception($"Work came back from another thread; find what sent it there.{Environment.NewLine}{stack}");
