namespace EgpuFleet.Simulation.Tests.World;

/// <summary>
/// One process of the simulated world: everything that runs in it comes through this context. A process that is killed
/// runs nothing more; one that is frozen runs later what came meanwhile. A restart is a new place.
/// </summary>
internal sealed class Place : SynchronizationContext
{
    private readonly Clockwork clockwork;
    private readonly List<(SendOrPostCallback Callback, object? State)> missed = [];

    /// <param name="host">Name of the machine, the same for every process that ever runs there.</param>
    public Place(Clockwork clockwork, string host, TimeSpan wallOffset = default)
    {
        this.clockwork = clockwork;
        Host = host;
        Clock = new PlaceClock(clockwork, this) { WallOffset = wallOffset };
    }

    public string Host { get; }
    public PlaceClock Clock { get; }
    public bool IsAlive { get; private set; } = true;
    public bool IsFrozen { get; private set; }

    public void Kill() => IsAlive = false;

    public void Freeze() => IsFrozen = true;

    public void Thaw()
    {
        IsFrozen = false;
        foreach (var (callback, state) in missed)
            clockwork.Post(this, callback, state);
        missed.Clear();
    }

    /// <summary>Whether work may run now; a frozen place keeps it for later.</summary>
    public bool Admits(SendOrPostCallback callback, object? state)
    {
        if (IsAlive && IsFrozen)
            missed.Add((callback, state));
        return IsAlive && !IsFrozen;
    }

    /// <summary>Runs a task here. A failure nobody awaits must not be lost: it ends the simulation.</summary>
    public void Go(Func<Task> body) => Post(static state => ((Watched)state!).Start(), new Watched(this, body));

    public void Go(Action body) => Post(static state => ((Action)state!)(), body);

    /// <summary>Runs something here after a while.</summary>
    public void After(TimeSpan delay, Action body) =>
        clockwork.At(clockwork.Now + delay, this, static state => ((Action)state!)(), body);

    public override void Post(SendOrPostCallback d, object? state)
    {
        // What a dead process left behind is finalized on another thread, and may say so here.
        if (IsAlive)
            clockwork.Post(this, d, state);
    }

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("Nothing in a simulated world waits on a thread.");

    public override SynchronizationContext CreateCopy() => this;

    public override string ToString() => Host;

    private sealed class Watched(Place place, Func<Task> body)
    {
        public void Start() => _ = RunAsync();

        private async Task RunAsync()
        {
            try
            {
                await body();
            }
            catch (Exception why)
            {
                place.clockwork.Fail(why);
            }
        }
    }
}
