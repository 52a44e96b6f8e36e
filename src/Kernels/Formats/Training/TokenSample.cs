namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>One sample of training data as a model sees it.</summary>
/// <param name="Tokens">At least two token ids, with what begins and ends the text.</param>
/// <param name="LossMask">
/// One byte per token: 1 where the loss counts how well the token is told from those before it, else 0. The first does not
/// matter: nothing is before it.
/// </param>
public sealed record TokenSample(int[] Tokens, byte[] LossMask)
{
    /// <summary>Places it takes in a row: the last token is only a target.</summary>
    public int Places => Tokens.Length - 1;

    /// <summary>Tokens that the loss counts.</summary>
    public int TrainedTokens => LossMask.Skip(1).Count(counts => counts != 0);
}
