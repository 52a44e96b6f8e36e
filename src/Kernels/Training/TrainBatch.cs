using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Training;

namespace EgpuFleet.Kernels.Training;

/// <summary>
/// Rows of tokens as a worker takes them, each array [rows × row tokens], row by row. A token attends to those before it in
/// its own segment; rotary angles go by the position in the row, which is the same up to rounding.
/// </summary>
/// <param name="Inputs">Token ids.</param>
/// <param name="Targets">The id that follows; -1 where nothing is learnt.</param>
/// <param name="Segments">Number of the sample within its row, from 0, never falling; padding is a segment without targets.</param>
public sealed record TrainBatch(int Rows, int RowTokens, int[] Inputs, int[] Targets, int[] Segments)
{
    /// <summary>Positions at which something is learnt: the loss is the mean over them.</summary>
    public int TrainedTokens => Targets.Count(target => target >= 0);

    /// <summary>Rows of one length, one after another.</summary>
    public static TrainBatch Of(IReadOnlyList<TrainingRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return new TrainBatch(
            rows.Count,
            rows.Count == 0 ? 0 : rows[0].Inputs.Length,
            [.. rows.SelectMany(row => row.Inputs)],
            [.. rows.SelectMany(row => row.Targets)],
            [.. rows.SelectMany(row => row.Segments)]
        );
    }

    /// <summary>Checks sizes and ids; hostile until then.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/></exception>
    public void Require(int rowTokens, int vocabulary)
    {
        var count = (long)Rows * RowTokens;
        if (Rows < 1 || RowTokens != rowTokens)
            throw Invalid($"A batch of {Rows} rows of {RowTokens} tokens; the session has rows of {rowTokens}.");
        if (Inputs.Length != count || Targets.Length != count || Segments.Length != count)
            throw Invalid($"A batch of {Rows} rows of {RowTokens} tokens has {count} of each.");
        if (Array.Exists(Inputs, id => id < 0 || id >= vocabulary))
            throw Invalid($"A token is not in 0..{vocabulary - 1}.");
        if (Array.Exists(Targets, id => id < -1 || id >= vocabulary))
            throw Invalid($"A target is not in -1..{vocabulary - 1}.");
        if (TrainedTokens == 0)
            throw Invalid("A batch without a target teaches nothing.");
        for (var i = 0; i < Segments.Length; i++)
        {
            if (Segments[i] < 0 || (i % RowTokens > 0 && Segments[i] < Segments[i - 1]))
                throw Invalid("Segments count up from 0 within a row.");
        }
    }

    private static EngineException Invalid(string text) => new(EngineErrorClass.InvalidRequest, text);
}
