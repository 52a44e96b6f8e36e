using System.Threading.Channels;

namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>
/// Submissions on their way into turns. A turn takes about as long for many operations as for one, and callers answered by
/// the last turn are about to come again; so the next waits for most of them, but for no longer than
/// <see cref="Limits.LedgerReturnWait"/> after the last. Where nobody was answered lately nobody is waited for.
/// </summary>
internal sealed class TurnQueue : IDisposable
{
    private readonly Channel<LedgerSubmission> _channel = Channel.CreateBounded<LedgerSubmission>(
        new BoundedChannelOptions(Limits.LedgerQueueLength) { SingleReader = true, SingleWriter = false }
    );
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ITimer _patience;
    private TaskCompletionSource? _returned;
    private int _queued;
    private int _awaited;
    private int _answered;
    private long _answeredAt;

    public TurnQueue(TimeProvider time)
    {
        _time = time;
        _patience = time.CreateTimer(_ => Return(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <exception cref="ChannelClosedException">The queue is closed.</exception>
    public async ValueTask EnqueueAsync(LedgerSubmission submission, CancellationToken cancellationToken)
    {
        await _channel.Writer.WriteAsync(submission, cancellationToken);
        TaskCompletionSource? returned = null;
        lock (_gate)
        {
            _queued += submission.Operations.Count;
            if (_queued >= _awaited)
                (returned, _returned) = (_returned, null);
        }
        returned?.TrySetResult();
    }

    /// <summary>No more come; what is queued is still given out.</summary>
    public void Close() => _channel.Writer.TryComplete();

    /// <summary>The next turn, or null when the queue is closed and empty.</summary>
    public async ValueTask<LedgerTurn?> NextAsync()
    {
        while (await _channel.Reader.WaitToReadAsync())
        {
            if (!_channel.Reader.TryRead(out var first))
                continue;
            Taken(first);
            var turn = new LedgerTurn(first);
            // Those that are on their way through the thread pool come along in any case.
            await new ThreadPoolTurn();
            if (Gather(turn))
                await WaitForReturnedAsync(turn);
            return turn;
        }
        return null;
    }

    /// <summary>A turn has ended and its callers know.</summary>
    public void Answered(LedgerTurn turn) => (_answered, _answeredAt) = (turn.OperationCount, _time.GetTimestamp());

    public void Dispose() => _patience.Dispose();

    /// <summary>Takes along what has arrived; false when no more fits.</summary>
    private bool Gather(LedgerTurn turn)
    {
        while (_channel.Reader.TryPeek(out var next))
        {
            if (!turn.Fits(next))
                return false;
            _ = _channel.Reader.TryRead(out _);
            Taken(next);
            turn.Add(next);
        }
        return true;
    }

    private async ValueTask WaitForReturnedAsync(LedgerTurn turn)
    {
        // Most, not all: who does not come again must not be waited for each time.
        var most = _answered - (_answered / Limits.LedgerReturnSlack);
        if (turn.OperationCount >= most)
            return;
        var patience = Limits.LedgerReturnWait - _time.GetElapsedTime(_answeredAt);
        if (patience <= TimeSpan.Zero)
            return;
        var returned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isEnough;
        lock (_gate)
        {
            _awaited = most - turn.OperationCount;
            isEnough = _queued >= _awaited;
            _returned = isEnough ? null : returned;
        }
        if (!isEnough)
        {
            // Timers count whole milliseconds, rounded down.
            _patience.Change(
                TimeSpan.FromMilliseconds(Math.Ceiling(patience.TotalMilliseconds)),
                Timeout.InfiniteTimeSpan
            );
            await returned.Task;
            _patience.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
        Gather(turn);
    }

    private void Return()
    {
        TaskCompletionSource? returned;
        lock (_gate)
            (returned, _returned) = (_returned, null);
        returned?.TrySetResult();
    }

    private void Taken(LedgerSubmission submission)
    {
        lock (_gate)
            _queued -= submission.Operations.Count;
    }
}
