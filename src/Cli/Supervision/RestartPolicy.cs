namespace EgpuFleet.Cli.Supervision;

/// <summary>
/// When a process of the fleet that ended by itself is started again. Pure: the ends seen so far go in, the decision
/// comes out.
/// </summary>
internal sealed class RestartPolicy
{
    private const int Usage = 2;

    private readonly Queue<DateTimeOffset> _ends = new();

    /// <summary>How long to wait before the next start; null: give up.</summary>
    /// <param name="exitCode">Status of the process; one that refuses its own settings is not tried again.</param>
    /// <param name="at">When it ended.</param>
    public TimeSpan? OnExit(int exitCode, DateTimeOffset at)
    {
        while (_ends.Count > 0 && at - _ends.Peek() > Limits.RestartWindow)
            _ends.Dequeue();
        if (exitCode == Usage || _ends.Count >= Limits.RestartsMax)
            return null;
        var delay = Limits.RestartDelayFirst * Math.Pow(2, _ends.Count);
        _ends.Enqueue(at);
        return delay < Limits.RestartDelayMax ? delay : Limits.RestartDelayMax;
    }
}
