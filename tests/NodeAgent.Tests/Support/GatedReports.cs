using System.Threading.Channels;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.NodeAgent.Execution;

namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>A pool that takes calls and answers none of them until it is opened.</summary>
internal sealed class GatedReports : IShardReports
{
    private readonly Channel<IReadOnlyList<ShardReport>> received = Channel.CreateUnbounded<
        IReadOnlyList<ShardReport>
    >();
    private readonly TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int calls;

    public int Calls => Volatile.Read(ref calls);

    public Func<ShardReport, ReportReply> Answer { get; set; } = _ => ReportReply.Accepted;

    public void Open() => gate.SetResult();

    public async Task<IReadOnlyList<ShardReport>> NextAsync() =>
        await received.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public async Task<ReportReply[]> ReportAsync(ShardReport[] reports, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref calls);
        received.Writer.TryWrite(reports);
        await gate.Task;
        return Array.ConvertAll(reports, report => Answer(report));
    }
}
