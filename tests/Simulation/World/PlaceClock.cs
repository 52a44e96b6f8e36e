namespace EgpuFleet.Simulation.Tests.World;

/// <summary>
/// The clocks of one process: a wall clock that may be wrong or jump, and a monotonic one, in which timers run. Neither
/// stops while the process is frozen.
/// </summary>
internal sealed class PlaceClock(Clockwork clockwork, Place place) : TimeProvider
{
    /// <summary>The day every world begins.</summary>
    public static readonly DateTimeOffset Beginning = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>How wrong the wall clock is.</summary>
    public TimeSpan WallOffset { get; set; }

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => Beginning + clockwork.Now + WallOffset;

    public override long GetTimestamp() => clockwork.Now.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new PlaceTimer(clockwork, place, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class PlaceTimer(Clockwork clockwork, Place place, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan every = Timeout.InfiniteTimeSpan;
        private Firing? next;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            every = period;
            Set(dueTime);
            return true;
        }

        public void Dispose() => next = null;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Set(TimeSpan dueTime)
        {
            if (dueTime == Timeout.InfiniteTimeSpan)
            {
                next = null;
                return;
            }
            next = new Firing(this);
            clockwork.At(clockwork.Now + dueTime, place, static firing => ((Firing)firing!).Happen(), next);
        }

        /// <summary>One time the timer is to fire; a later change makes it void.</summary>
        private sealed class Firing(PlaceTimer timer)
        {
            public void Happen()
            {
                if (timer.next != this)
                    return;
                timer.Set(timer.every > TimeSpan.Zero ? timer.every : Timeout.InfiniteTimeSpan);
                timer.Fire();
            }
        }

        private void Fire() => callback(state);
    }
}
