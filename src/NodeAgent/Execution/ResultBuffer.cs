using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>Results between computing and reporting. While nobody takes reports they gather here; past a bound of bytes computing waits.</summary>
internal sealed class ResultBuffer
{
    private readonly Channel<ItemResult> results = Channel.CreateUnbounded<ItemResult>();
    private readonly Lock gate = new();
    private TaskCompletionSource? room;
    private long bytes;

    /// <summary>Nothing is in it and nothing will come.</summary>
    public bool IsCompleted => results.Reader.Completion.IsCompleted;

    public async ValueTask WriteAsync(ItemResult result, CancellationToken cancellationToken)
    {
        while (!TryWrite(result, out var free))
            await free.WaitAsync(cancellationToken);
    }

    public void Complete() => results.Writer.Complete();

    /// <summary>Returns when there is a result; false when there will be none.</summary>
    public async Task<bool> WaitAsync(CancellationToken cancellationToken) =>
        await results.Reader.WaitToReadAsync(cancellationToken);

    public bool TryRead([NotNullWhen(true)] out ItemResult? result)
    {
        if (!results.Reader.TryRead(out result))
            return false;
        TaskCompletionSource? waiting;
        lock (gate)
        {
            bytes -= PendingReport.BytesOf(result);
            (waiting, room) = (room, null);
        }
        waiting?.SetResult();
        return true;
    }

    private bool TryWrite(ItemResult result, [NotNullWhen(false)] out Task? free)
    {
        lock (gate)
        {
            if (bytes >= Limits.UnreportedBytes)
            {
                room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                free = room.Task;
                return false;
            }
            bytes += PendingReport.BytesOf(result);
        }
        free = null;
        return results.Writer.TryWrite(result);
    }
}
