namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>One sample of training data as a model sees it.</summary>
/// <param name="Tokens">Token ids, with what begins and ends the text; never empty.</param>
/// <param name="LossMask">
/// One byte per token: 1 where the loss counts how well the token is told from those before it, else 0. The first is
/// always 0, since nothing is before it.
/// </param>
public sealed record TokenSample(int[] Tokens, byte[] LossMask)
{
    /// <summary>Tokens that the loss counts.</summary>
    public int TrainedTokens => LossMask.Count(counts => counts != 0);
}
