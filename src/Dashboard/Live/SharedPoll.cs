using EgpuFleet.Dashboard.Gateway;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Dashboard.Live;

/// <summary>
/// Reads something again and again while anybody watches, once for all viewers; nobody watching, nothing is read.
/// A failed read keeps the last good value beside the trouble.
/// </summary>
public sealed class SharedPoll<T>(
    Func<CancellationToken, Task<T>> read,
    TimeSpan period,
    TimeProvider clock,
    ILogger logger
) : IDisposable
    where T : class
{
    private readonly Lock gate = new();
    private readonly List<Action> watchers = [];
    private CancellationTokenSource? running;
    private Task<Sight<T>>? reading;

    public Sight<T> Latest { get; private set; } = new();

    /// <summary>The latest sight when it is fresh, else one read now that waits no longer than <see cref="Limits.FirstPaint"/>.</summary>
    public async Task<Sight<T>> LookAsync(CancellationToken cancellationToken)
    {
        if (Latest is { At: { } at, Trouble: null } && clock.GetUtcNow() - at < Limits.FreshFor)
            return Latest;
        try
        {
            return await ReadOnce().WaitAsync(Limits.FirstPaint, clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            return Latest;
        }
    }

    /// <summary>Calls <paramref name="changed"/> after every read until the watch is disposed.</summary>
    public IDisposable Watch(Action changed)
    {
        lock (gate)
        {
            watchers.Add(changed);
            if (running is null)
            {
                running = new CancellationTokenSource();
                _ = RunAsync(running.Token);
            }
        }
        return new Watcher(this, changed);
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(period, clock);
        while (!cancellationToken.IsCancellationRequested)
        {
            await ReadOnce();
            Action[] present;
            lock (gate)
                present = [.. watchers];
            foreach (var changed in present)
                changed();
            try
            {
                await timer.WaitForNextTickAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Joins the read in flight, or starts one.</summary>
    private Task<Sight<T>> ReadOnce()
    {
        lock (gate)
        {
            if (reading is null or { IsCompleted: true })
                reading = ReadAsync();
            return reading;
        }
    }

    private async Task<Sight<T>> ReadAsync()
    {
        try
        {
            // The call's own time limit ends it; a viewer who leaves must not spoil it for the others.
            var value = await read(CancellationToken.None);
            return Latest = new Sight<T>(value, clock.GetUtcNow(), null);
        }
        catch (ObjectDisposedException)
        {
            // The host has stopped, and nobody is left to look.
            return Latest;
        }
        catch (Exception exception)
        {
            // The rim: every viewer is shown the trouble, and what is not expected is logged in full.
            var trouble = Trouble.Of(exception);
            if (!trouble.Expected)
                LiveLog.ReadFailed(logger, exception);
            return Latest = Latest with { Trouble = trouble };
        }
    }

    /// <summary>Ends the polling, whoever watches.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            watchers.Clear();
            Stop();
        }
    }

    private void Leave(Action changed)
    {
        lock (gate)
        {
            watchers.Remove(changed);
            if (watchers.Count == 0)
                Stop();
        }
    }

    private void Stop()
    {
        running?.Cancel();
        running?.Dispose();
        running = null;
    }

    private sealed class Watcher(SharedPoll<T> poll, Action changed) : IDisposable
    {
        private bool left;

        public void Dispose()
        {
            if (left)
                return;
            left = true;
            poll.Leave(changed);
        }
    }
}
