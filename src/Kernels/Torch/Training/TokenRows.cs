using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>
/// Training rows cut from a stream of documents. Every row begins at the start of a document, because that is where
/// generation begins, and runs on into the next ones; rows come in a seeded order, once each per pass.
/// </summary>
public sealed class TokenRows
{
    private readonly int[] tokens;
    private readonly int rowTokens;
    private readonly int[] starts;
    private int cursor;

    /// <param name="tokens">All documents, one after another.</param>
    /// <param name="separator">The token that begins each document.</param>
    /// <param name="rowTokens">Inputs per row; the target is one token further.</param>
    public TokenRows(int[] tokens, int separator, int rowTokens)
    {
        this.tokens = tokens;
        this.rowTokens = rowTokens;
        var found = new List<int>();
        for (var i = 0; i + rowTokens < tokens.Length; i++)
        {
            if (tokens[i] == separator && (found.Count == 0 || i >= found[^1] + rowTokens))
                found.Add(i);
        }
        starts = [.. found];
        cursor = starts.Length;
        if (starts.Length == 0)
            throw new ArgumentException($"No document leaves room for a row of {rowTokens} tokens.", nameof(tokens));
    }

    /// <summary>Rows in one pass.</summary>
    public int Count => starts.Length;

    /// <summary>The next rows.</summary>
    public TrainBatch Next(int rows, Random random)
    {
        var chosen = new int[rows];
        for (var i = 0; i < rows; i++)
        {
            if (cursor == starts.Length)
            {
                random.Shuffle(starts);
                cursor = 0;
            }
            chosen[i] = starts[cursor++];
        }
        return Rows(chosen);
    }

    /// <summary>Up to <paramref name="rows"/> rows from the front of a pass that was not shuffled.</summary>
    public TrainBatch First(int rows) => Rows(starts[..Math.Min(rows, starts.Length)]);

    private TrainBatch Rows(int[] chosen)
    {
        var inputs = new int[chosen.Length * rowTokens];
        var targets = new int[chosen.Length * rowTokens];
        for (var row = 0; row < chosen.Length; row++)
        {
            for (var i = 0; i < rowTokens; i++)
            {
                inputs[(row * rowTokens) + i] = tokens[chosen[row] + i];
                targets[(row * rowTokens) + i] = tokens[chosen[row] + i + 1];
            }
        }
        return new TrainBatch(chosen.Length, rowTokens, inputs, targets, new int[inputs.Length]);
    }
}
