namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>
/// One row of a batch: whole samples one after another, then padding. All three arrays have the row's length. A token may
/// attend only to earlier ones of its own segment, and its position counts from the start of that segment.
/// </summary>
/// <param name="Tokens">Token ids.</param>
/// <param name="LossMask">
/// 1 where the loss counts the token: the output at the place <em>before</em> it is compared with it. The first token of a
/// segment and padding are 0, so that no comparison reaches over a border.
/// </param>
/// <param name="Segments">Which sample of the row a token is of, from 1; 0 is padding.</param>
public sealed record TrainingRow(int[] Tokens, byte[] LossMask, int[] Segments)
{
    /// <summary>Each token's place in its segment, from 0; 0 in padding.</summary>
    public int[] Positions()
    {
        var positions = new int[Segments.Length];
        for (var i = 1; i < positions.Length; i++)
            positions[i] = Segments[i] != 0 && Segments[i] == Segments[i - 1] ? positions[i - 1] + 1 : 0;
        return positions;
    }
}
