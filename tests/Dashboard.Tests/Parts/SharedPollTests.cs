using System.Threading.Channels;
using EgpuFleet.Dashboard.Live;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EgpuFleet.Dashboard.Tests.Parts;

public sealed class SharedPollTests
{
    private readonly FakeTimeProvider clock = new();
    private readonly Channel<int> seen = Channel.CreateUnbounded<int>();
    private int reads;

    [Fact]
    public async Task Two_viewers_share_one_read_and_nobody_means_none()
    {
        using var poll = Open(_ => Task.FromResult(Interlocked.Increment(ref reads).ToString()));
        var first = poll.Watch(() => seen.Writer.TryWrite(1));
        var second = poll.Watch(() => seen.Writer.TryWrite(2));
        Assert.Equal(1, await NextAsync());
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([1, 2], new[] { await NextAsync(), await NextAsync() }.Order());
        Assert.Equal(2, reads);
        first.Dispose();
        second.Dispose();
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(2, reads);
    }

    [Fact]
    public async Task A_failure_keeps_the_last_good_value_beside_the_trouble()
    {
        using var poll = Open(_ =>
            Interlocked.Increment(ref reads) == 2
                ? Task.FromException<string>(new HttpRequestException("refused"))
                : Task.FromResult($"read {reads}")
        );
        using var watch = poll.Watch(() => seen.Writer.TryWrite(reads));
        await NextAsync();
        clock.Advance(TimeSpan.FromSeconds(1));
        await NextAsync();
        Assert.Equal("read 1", poll.Latest.Value);
        Assert.Equal("The gateway does not answer.", poll.Latest.Trouble?.What);
        clock.Advance(TimeSpan.FromSeconds(1));
        await NextAsync();
        Assert.Equal("read 3", poll.Latest.Value);
        Assert.Null(poll.Latest.Trouble);
    }

    [Fact]
    public async Task A_first_look_at_a_gateway_that_hangs_ends()
    {
        using var poll = Open(_ => new TaskCompletionSource<string>().Task);
        var look = poll.LookAsync(TestContext.Current.CancellationToken);
        clock.Advance(Limits.FirstPaint);
        Assert.Null((await look).Value);
    }

    private SharedPoll<string> Open(Func<CancellationToken, Task<string>> read) =>
        new(read, TimeSpan.FromSeconds(1), clock, NullLogger.Instance);

    private ValueTask<int> NextAsync() => seen.Reader.ReadAsync(TestContext.Current.CancellationToken);
}
