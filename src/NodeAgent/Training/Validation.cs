using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Execution;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>The loss of a model on data that it does not learn from.</summary>
internal static class Validation
{
    /// <summary>Mean cross-entropy in nats of a token.</summary>
    public static async Task<double> LossAsync(
        ITrainingSession session,
        IReadOnlyList<TrainBatch> batches,
        HeldLease lease
    )
    {
        var (sum, tokens) = (0.0, 0L);
        foreach (var batch in batches)
        {
            await lease.ReadyAsync();
            var part = await session.EvaluateAsync(batch, lease.Ended);
            sum += part.LossSum;
            tokens += part.Tokens;
        }
        return sum / tokens;
    }
}
