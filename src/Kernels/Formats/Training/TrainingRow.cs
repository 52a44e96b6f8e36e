namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>
/// One row of a batch: whole samples one after another, then padding. All three arrays have the row's length. A sample of n
/// tokens takes n − 1 places, since its last token is only ever a target. A token attends to those before it in its own
/// segment, never over a border.
/// </summary>
/// <param name="Inputs">Token ids.</param>
/// <param name="Targets">The id that follows in the sample; −1 where nothing is learnt.</param>
/// <param name="Segments">Number of the sample within the row, from 0, never falling; padding is a last segment without targets.</param>
public sealed record TrainingRow(int[] Inputs, int[] Targets, int[] Segments)
{
    /// <summary>Places at which something is learnt.</summary>
    public int TrainedTokens => Targets.Count(target => target >= 0);
}
