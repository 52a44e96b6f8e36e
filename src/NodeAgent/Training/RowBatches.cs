using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>Rows as a worker takes them.</summary>
internal static class RowBatches
{
    /// <param name="rows">Of one length, at least one.</param>
    public static TrainBatch Of(IReadOnlyList<TrainingRow> rows) =>
        new(
            rows.Count,
            rows[0].Inputs.Length,
            [.. rows.SelectMany(row => row.Inputs)],
            [.. rows.SelectMany(row => row.Targets)],
            [.. rows.SelectMany(row => row.Segments)]
        );
}
