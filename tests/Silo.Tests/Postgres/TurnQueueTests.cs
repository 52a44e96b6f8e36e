using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres.Writing;

namespace EgpuFleet.Silo.Tests.Postgres;

public sealed class TurnQueueTests : IDisposable
{
    private static readonly LeaderTerm Term = new(PoolId.Default, "test", 1);

    private readonly HeldTime _time = new();
    private readonly TurnQueue _queue;

    public TurnQueueTests() => _queue = new TurnQueue(_time);

    [Fact]
    public async Task A_turn_waits_for_most_of_the_callers_that_the_last_one_answered()
    {
        await AnswerAsync(8);
        await EnqueueAsync(1);
        var next = _queue.NextAsync().AsTask();
        await _time.Armed;
        Assert.False(next.IsCompleted);
        for (var i = 0; i < 5; i++)
            await EnqueueAsync(1);
        Assert.False(next.IsCompleted);
        await EnqueueAsync(1);
        Assert.Equal(7, (await next)!.OperationCount);
    }

    [Fact]
    public async Task Who_does_not_come_again_is_waited_for_only_so_long()
    {
        await AnswerAsync(8);
        await EnqueueAsync(1);
        var next = _queue.NextAsync().AsTask();
        await _time.Armed;
        _time.Fire();
        Assert.Equal(1, (await next)!.OperationCount);
    }

    [Fact]
    public async Task Nobody_is_waited_for_when_the_last_turn_was_long_ago()
    {
        await AnswerAsync(8);
        _time.Advance(Limits.LedgerReturnWait);
        await EnqueueAsync(1);
        Assert.Equal(1, (await _queue.NextAsync())!.OperationCount);
        Assert.False(_time.Armed.IsCompleted);
    }

    [Fact]
    public async Task Nobody_is_waited_for_after_a_turn_for_one()
    {
        await AnswerAsync(1);
        await EnqueueAsync(1);
        Assert.Equal(1, (await _queue.NextAsync())!.OperationCount);
        Assert.False(_time.Armed.IsCompleted);
    }

    [Fact]
    public async Task A_closed_queue_gives_out_what_it_has()
    {
        await EnqueueAsync(2);
        _queue.Close();
        Assert.Equal(2, (await _queue.NextAsync())!.OperationCount);
        Assert.Null(await _queue.NextAsync());
    }

    public void Dispose() => _queue.Dispose();

    private async Task AnswerAsync(int operations)
    {
        await EnqueueAsync(operations);
        _queue.Answered((await _queue.NextAsync())!);
    }

    private ValueTask EnqueueAsync(int operations)
    {
        var job = JobId.New(DateTimeOffset.UnixEpoch);
        LedgerOperation[] some = [.. Enumerable.Repeat(new LedgerOperation.StartJob(job), operations)];
        return _queue.EnqueueAsync(new LedgerSubmission(Term, some, default), TestContext.Current.CancellationToken);
    }

    /// <summary>Stands still; its one timer fires when it is told to, and says when it has been set.</summary>
    private sealed class HeldTime : TimeProvider
    {
        private readonly TaskCompletionSource _armed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Action _fire = () => { };
        private long _now;

        public Task Armed => _armed.Task;

        public override long GetTimestamp() => _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => _now += by.Ticks;

        public void Fire() => _fire();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _fire = () => callback(state);
            return new Timer(_armed);
        }

        private sealed class Timer(TaskCompletionSource armed) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                if (dueTime > TimeSpan.Zero)
                    armed.TrySetResult();
                return true;
            }

            public void Dispose() { }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
