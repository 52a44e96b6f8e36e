namespace EgpuFleet.Simulation.Tests.World;

/// <summary>
/// Carries calls between places: each request and each answer on its own way, late, lost or twice as the weather wills.
/// Machines can be cut off altogether. A caller that hears nothing gives up after its patience.
/// </summary>
internal sealed class Network(Clockwork clockwork, Dice dice, Trace trace)
{
    private readonly Place wires = new(clockwork, "wires");

    public Weather Weather { get; set; } = Weather.Calm;

    /// <summary>Hosts nobody reaches and that reach nobody.</summary>
    public HashSet<string> CutOff { get; } = new(StringComparer.Ordinal);

    /// <summary>Hosts whose messages take this much longer.</summary>
    public Dictionary<string, TimeSpan> Detours { get; } = new(StringComparer.Ordinal);

    /// <summary>Asks something that runs in another place.</summary>
    /// <param name="find">The place that serves, looked up when the request arrives; null: nobody is there.</param>
    /// <exception cref="TimeoutException">No answer came.</exception>
    /// <exception cref="HostGoneException">Nobody is there.</exception>
    public Task<T> CallAsync<T>(
        Place from,
        string to,
        Func<Place?> find,
        TimeSpan patience,
        Func<Task<T>> serve,
        CancellationToken cancellationToken = default
    )
    {
        // Without the usual flag: the answer is set in the caller's place, where its continuation may run at once.
        var answer = new TaskCompletionSource<T>();
        var call = new Call<T>(this, from, to, find, serve, answer);
        var timer = from.Clock.CreateTimer(call.GiveUp, null, patience, Timeout.InfiniteTimeSpan);
        var registration = cancellationToken.Register(() => answer.TrySetCanceled(cancellationToken));
        Carry(from.Host, to, call.Arrive);
        return EndAsync(answer.Task, timer, registration);
    }

    /// <summary>Carries a message, or not.</summary>
    public void Carry(string from, string to, Action arrive)
    {
        if (CutOff.Contains(from) || CutOff.Contains(to) || dice.Chance(Weather.LossChance))
        {
            trace.Note("wires", $"lost {from} -> {to}");
            return;
        }
        Send(from, to, arrive);
        if (dice.Chance(Weather.DuplicateChance))
            Send(from, to, arrive);
    }

    private void Send(string from, string to, Action arrive)
    {
        var delay = dice.Between(Weather.Least, Weather.Most) + Detours.GetValueOrDefault(from);
        delay += Detours.GetValueOrDefault(to);
        if (dice.Chance(Weather.StrayChance))
            delay += dice.Between(TimeSpan.Zero, Weather.LongestStray);
        wires.After(delay, arrive);
    }

    private static async Task<T> EndAsync<T>(Task<T> answer, ITimer timer, CancellationTokenRegistration registration)
    {
        try
        {
            return await answer;
        }
        finally
        {
            timer.Dispose();
            registration.Dispose();
        }
    }

    private sealed class Call<T>(
        Network network,
        Place from,
        string to,
        Func<Place?> find,
        Func<Task<T>> serve,
        TaskCompletionSource<T> answer
    )
    {
        public void GiveUp(object? _) => answer.TrySetException(new TimeoutException($"No answer from {to}."));

        public void Arrive()
        {
            if (find() is { IsAlive: true } place)
                place.Go(ServeAsync);
            else
                Answer(() => answer.TrySetException(new HostGoneException(to)));
        }

        private async Task ServeAsync()
        {
            try
            {
                var value = await serve();
                Answer(() => answer.TrySetResult(value));
            }
            // Whatever the other side throws is its answer.
            catch (Exception why)
            {
                Answer(() => answer.TrySetException(why));
            }
        }

        private void Answer(Action set) => network.Carry(to, from.Host, () => from.Go(set));
    }
}

/// <summary>The machine answers that the process is not there.</summary>
internal sealed class HostGoneException(string host) : Exception($"Nobody listens at {host}.");
