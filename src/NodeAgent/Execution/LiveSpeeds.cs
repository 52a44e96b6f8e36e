using EgpuFleet.Grains.Interfaces.Fleet;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>
/// Tokens per second of one sequence, for each model, from live work. Only generations that were alone from their first to
/// their last token count: beside others one is slower by how many they are, which the planner reckons with itself.
/// </summary>
public sealed class LiveSpeeds(TimeProvider time)
{
    // Fewer say more of the clock than of the device.
    private const int LeastTokens = 16;

    // A new generation weighs this much against all earlier ones: about five to follow a change.
    private const double Weight = 0.3;

    private readonly Lock gate = new();
    private readonly Dictionary<string, (double Rate, long UsedAt)> models = new(StringComparer.Ordinal);
    private int active;
    private long begun;

    /// <summary>The models measured, at most <see cref="Limits.LiveSpeeds"/>.</summary>
    public LiveSpeed[] Now
    {
        get
        {
            lock (gate)
                return [.. models.Select(model => new LiveSpeed(model.Key, model.Value.Rate))];
        }
    }

    /// <summary>A generation that begins; dispose it when it ends.</summary>
    public Run Begin(string sha256)
    {
        lock (gate)
        {
            active++;
            return new Run(this, sha256, ++begun, isAlone: active == 1);
        }
    }

    private void End(Run run)
    {
        lock (gate)
        {
            active--;
            var wasAlone = run.BeganAlone && run.Number == begun;
            if (!wasAlone || run.Tokens < LeastTokens)
                return;
            var rate = (run.Tokens - 1) / run.Seconds;
            if (!double.IsFinite(rate))
                return;
            if (models.TryGetValue(run.Sha256, out var known))
                rate = known.Rate + (Weight * (rate - known.Rate));
            else if (models.Count >= Limits.LiveSpeeds)
                models.Remove(models.MinBy(model => model.Value.UsedAt).Key);
            models[run.Sha256] = (rate, time.GetTimestamp());
        }
    }

    /// <summary>One generation; used by one thread at a time.</summary>
    public sealed class Run(LiveSpeeds owner, string sha256, long number, bool isAlone) : IDisposable
    {
        private long firstAt;
        private long lastAt;

        internal string Sha256 => sha256;

        internal long Number => number;

        internal bool BeganAlone => isAlone;

        internal int Tokens { get; private set; }

        internal double Seconds => owner.Elapsed(firstAt, lastAt);

        public void Token()
        {
            lastAt = owner.Timestamp;
            if (Tokens++ == 0)
                firstAt = lastAt;
        }

        public void Dispose() => owner.End(this);
    }

    private long Timestamp => time.GetTimestamp();

    private double Elapsed(long from, long to) => time.GetElapsedTime(from, to).TotalSeconds;
}
