using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Tests.Support;

namespace EgpuFleet.NodeAgent.Tests.Execution;

public sealed class ResultBufferTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Past_its_bound_of_bytes_a_writer_waits_until_something_was_read()
    {
        var buffer = new ResultBuffer();
        var written = 0;
        var waiting = Task.CompletedTask;
        while (waiting.IsCompleted)
            waiting = buffer.WriteAsync(Large(written++), Token).AsTask();
        Assert.InRange(written, 2, (int)(NodeAgent.Limits.UnreportedBytes / (2 << 20)) + 1);

        Assert.True(await buffer.WaitAsync(Token));
        Assert.True(buffer.TryRead(out var first));
        Assert.Equal(0, first.Index);
        var indexes = new List<int>();
        while (indexes.Count < written - 1)
        {
            Assert.True(await buffer.WaitAsync(Token));
            while (buffer.TryRead(out var result))
                indexes.Add(result.Index);
        }
        Assert.Equal(Enumerable.Range(1, written - 1), indexes);
        await waiting;
        buffer.Complete();
        Assert.False(await buffer.WaitAsync(Token));
        Assert.True(buffer.IsCompleted);
    }

    [Fact]
    public async Task A_writer_that_waits_leaves_when_told_to()
    {
        var buffer = new ResultBuffer();
        using var leaving = new CancellationTokenSource();
        var waiting = Task.CompletedTask;
        while (waiting.IsCompleted)
            waiting = buffer.WriteAsync(Large(0), leaving.Token).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    private static ItemResult Large(int index) =>
        new(index, "item", new string('x', 1 << 20), "stop", 0, 0, null, null, Leases.Device, 1, 1, 0);
}
