namespace EgpuFleet.Silo.Training;

/// <summary>
/// What happens to rounds in this process, for those who would else have to look: of other silos' doings they hear when they
/// look the next time.
/// </summary>
public sealed class RoundSignals
{
    /// <summary>A round has all that it waited for.</summary>
    public RoundSignal Closing { get; } = new();

    /// <summary>A round is over.</summary>
    public RoundSignal Closed { get; } = new();

    /// <summary>Returns at the signal, or after a while.</summary>
    /// <exception cref="OperationCanceledException">The token has fired.</exception>
    public static async Task WaitAsync(
        Task signal,
        TimeSpan most,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(signal, Task.Delay(most, time, done.Token));
        await done.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }
}

/// <summary>Something that happens again and again. Whoever takes <see cref="Next"/> before looking misses none of it.</summary>
public sealed class RoundSignal
{
    private TaskCompletionSource next = New();

    public Task Next => Volatile.Read(ref next).Task;

    public void Raise() => Interlocked.Exchange(ref next, New()).SetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
