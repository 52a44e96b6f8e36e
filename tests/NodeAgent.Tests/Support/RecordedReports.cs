using System.Collections.Concurrent;
using System.Threading.Channels;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.NodeAgent.Execution;

namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>Takes reports in the pool's place; the test reads them one by one as they come and may answer as it likes.</summary>
internal sealed class RecordedReports : IShardReports
{
    private readonly Channel<ShardReport> reports = Channel.CreateUnbounded<ShardReport>();

    public Func<ShardReport, ReportReply> Answer { get; set; } = _ => ReportReply.Accepted;

    /// <summary>Reports that nobody has read yet.</summary>
    public int Unread => reports.Reader.Count;

    /// <summary>How many reports each call brought.</summary>
    public ConcurrentQueue<int> Calls { get; } = new();

    public Task<ReportReply[]> ReportAsync(ShardReport[] batch, CancellationToken cancellationToken)
    {
        Calls.Enqueue(batch.Length);
        var replies = Array.ConvertAll(batch, report => Answer(report));
        foreach (var report in batch)
            reports.Writer.TryWrite(report);
        return Task.FromResult(replies);
    }

    public async Task<ShardReport> NextAsync() => await reports.Reader.ReadAsync(TestContext.Current.CancellationToken);

    /// <summary>Reads up to the report that ends a shard.</summary>
    public async Task<List<ShardReport>> AllAsync()
    {
        var all = new List<ShardReport>();
        do all.Add(await NextAsync());
        while (all[^1].Outcome == ShardOutcome.Progress);
        return all;
    }
}
