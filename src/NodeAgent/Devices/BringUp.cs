using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.NodeAgent.Joining;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>
/// What a device does before it can compute: its worker's start, the device's opening and test, a model's way into it. Phases
/// may overlap; the one that began last is told. How far one is, is asked for when somebody wants to know.
/// </summary>
internal sealed class BringUp(TimeProvider time, ChangeSignal changes)
{
    private readonly TimeProvider time = time;
    private readonly Lock gate = new();
    private readonly List<Phase> phases = [];

    /// <summary>Null while nothing is brought up.</summary>
    public BringUpStatus? Now
    {
        get
        {
            Phase? newest;
            lock (gate)
                newest = phases.Count > 0 ? phases[^1] : null;
            return newest?.Status();
        }
    }

    /// <summary>Begins a phase that ends with the disposal.</summary>
    /// <param name="words">What is done, such as <c>opening the device</c>.</param>
    /// <param name="totalBytes">Bytes in all; 0 where they are not counted.</param>
    /// <param name="doneBytes">Bytes so far; asked for at any time, from any thread.</param>
    /// <param name="expected">How long it took before; null where nothing tells.</param>
    public IDisposable Begin(string words, long totalBytes = 0, Func<long>? doneBytes = null, TimeSpan? expected = null)
    {
        var phase = new Phase(this, words, totalBytes, doneBytes, expected, time.GetTimestamp());
        lock (gate)
            phases.Add(phase);
        changes.Raise();
        return phase;
    }

    /// <summary>Pure: what is left of a phase, by its bytes where they are counted, else by how long it took before.</summary>
    public static TimeSpan? Left(TimeSpan elapsed, long doneBytes, long totalBytes, TimeSpan? expected)
    {
        if (totalBytes > 0)
        {
            var seconds = elapsed.TotalSeconds * Math.Max(0, totalBytes - doneBytes) / doneBytes;
            // Of the first bytes of many nothing can be told.
            return doneBytes > 0 && seconds < Limits.LongestLeft.TotalSeconds ? TimeSpan.FromSeconds(seconds) : null;
        }
        return expected > elapsed ? expected - elapsed : null;
    }

    private void End(Phase phase)
    {
        lock (gate)
        {
            if (!phases.Remove(phase))
                return;
        }
        changes.Raise();
    }

    private sealed class Phase(
        BringUp owner,
        string words,
        long totalBytes,
        Func<long>? doneBytes,
        TimeSpan? expected,
        long startedAt
    ) : IDisposable
    {
        public BringUpStatus Status()
        {
            var elapsed = owner.time.GetElapsedTime(startedAt);
            var done = doneBytes?.Invoke() ?? 0;
            return new BringUpStatus(
                words,
                elapsed.TotalSeconds,
                done,
                totalBytes,
                Left(elapsed, done, totalBytes, expected)?.TotalSeconds
            );
        }

        public void Dispose() => owner.End(this);
    }
}
