using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Simulation.Tests.Silos;
using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Agents;

/// <summary>Sends the reports of a machine together, as many as wait when the last ones are answered.</summary>
internal sealed class Outbox(Place place, PoolDirectory pool)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Queue<(ShardReport Report, TaskCompletionSource<ReportReply> Answer)> waiting = new();
    private bool isSending;

    /// <summary>Returns what became of a report; whatever went wrong on the way is thrown.</summary>
    public Task<ReportReply> SendAsync(ShardReport report)
    {
        var answer = new TaskCompletionSource<ReportReply>();
        waiting.Enqueue((report, answer));
        if (!isSending)
        {
            isSending = true;
            place.Go(SendAllAsync);
        }
        return answer.Task;
    }

    private async Task SendAllAsync()
    {
        while (waiting.Count > 0)
        {
            var batch = waiting.ToArray();
            waiting.Clear();
            try
            {
                ShardReport[] reports = [.. batch.Select(entry => entry.Report)];
                var replies = await pool.CallAsync(place, Patience, silo => silo.ReportAsync(reports));
                for (var i = 0; i < batch.Length; i++)
                    batch[i].Answer.TrySetResult(replies[i]);
            }
            // Each sender decides whether to try again.
            catch (Exception why)
            {
                foreach (var (_, answer) in batch)
                    answer.TrySetException(why);
            }
        }
        isSending = false;
    }
}
