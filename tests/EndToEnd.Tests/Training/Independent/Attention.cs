namespace EgpuFleet.EndToEnd.Tests.Training.Independent;

/// <summary>Attention of one row of tokens, head by head, score by score.</summary>
internal sealed class Attention
{
    private readonly Matrix queries;
    private readonly Matrix keys;
    private readonly Matrix values;
    private readonly int headSize;
    private readonly int[] segments;
    private readonly double[][][] shares;

    public Attention(Matrix queries, Matrix keys, Matrix values, int headSize, int[] segments)
    {
        (this.queries, this.keys, this.values) = (queries, keys, values);
        (this.headSize, this.segments) = (headSize, segments);
        Result = new Matrix(queries.Rows, queries.Columns);
        shares = [.. Enumerable.Range(0, queries.Columns / headSize).Select(Forward)];
    }

    /// <summary>[tokens, heads × head size].</summary>
    public Matrix Result { get; }

    private double Scale => 1 / Math.Sqrt(headSize);

    public void Backward()
    {
        for (var head = 0; head < shares.Length; head++)
        {
            for (var row = 0; row < queries.Rows; row++)
                Backward(head, row, shares[head][row]);
        }
    }

    private double[][] Forward(int head)
    {
        var all = new double[queries.Rows][];
        for (var row = 0; row < queries.Rows; row++)
        {
            var first = Array.IndexOf(segments, segments[row]);
            var scores = new double[row + 1 - first];
            for (var i = 0; i < scores.Length; i++)
                scores[i] = Scale * Rows.Dot(Head(queries.Row(row), head), Shared(keys.Row(first + i), head));
            Tape.Softmax(scores);
            for (var i = 0; i < scores.Length; i++)
                Rows.Add(Head(Result.Row(row), head), scores[i], Shared(values.Row(first + i), head));
            all[row] = scores;
        }
        return all;
    }

    private void Backward(int head, int row, double[] share)
    {
        var first = row + 1 - share.Length;
        var change = Head(Result.GradientOf(row), head);
        var byShare = new double[share.Length];
        var mean = 0.0;
        for (var i = 0; i < share.Length; i++)
        {
            Rows.Add(Shared(values.GradientOf(first + i), head), share[i], change);
            byShare[i] = Rows.Dot(change, Shared(values.Row(first + i), head));
            mean += byShare[i] * share[i];
        }
        for (var i = 0; i < share.Length; i++)
        {
            var byScore = Scale * share[i] * (byShare[i] - mean);
            Rows.Add(Head(queries.GradientOf(row), head), byScore, Shared(keys.Row(first + i), head));
            Rows.Add(Shared(keys.GradientOf(first + i), head), byScore, Head(queries.Row(row), head));
        }
    }

    private Span<double> Head(Span<double> row, int head) => row.Slice(head * headSize, headSize);

    /// <summary>What a group of query heads shares.</summary>
    private Span<double> Shared(Span<double> row, int head) => Head(row, head * keys.Columns / queries.Columns);
}
