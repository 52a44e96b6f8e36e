namespace EgpuFleet.EndToEnd.Tests.Training.Independent;

/// <summary>What a forward computes, with the way back of each step: gradients by the rules of a textbook, in doubles.</summary>
internal sealed class Tape
{
    private readonly Stack<Action> wayBack = new();

    /// <summary>Goes all the way back; gradients of weights add up over tapes.</summary>
    public void Backward()
    {
        while (wayBack.TryPop(out var step))
            step();
    }

    /// <summary>Inputs [n, i] through a weight [o, i]: [n, o].</summary>
    public Matrix Times(Matrix inputs, Matrix weight)
    {
        var result = new Matrix(inputs.Rows, weight.Rows);
        for (var row = 0; row < inputs.Rows; row++)
        {
            for (var o = 0; o < weight.Rows; o++)
                result.Row(row)[o] = Rows.Dot(inputs.Row(row), weight.Row(o));
        }
        wayBack.Push(() =>
        {
            for (var row = 0; row < inputs.Rows; row++)
            {
                for (var o = 0; o < weight.Rows; o++)
                {
                    var change = result.GradientOf(row)[o];
                    if (inputs.Learns)
                        Rows.Add(inputs.GradientOf(row), change, weight.Row(o));
                    if (weight.Learns)
                        Rows.Add(weight.GradientOf(o), change, inputs.Row(row));
                }
            }
        });
        return result;
    }

    /// <summary>One and a multiple of another.</summary>
    public Matrix Sum(Matrix one, Matrix other, double factor = 1)
    {
        var result = new Matrix(one.Rows, one.Columns);
        for (var i = 0; i < result.Data.Length; i++)
            result.Data[i] = one.Data[i] + (factor * other.Data[i]);
        wayBack.Push(() =>
        {
            if (one.Learns)
                Rows.Add(one.Gradient, 1, result.Gradient);
            Rows.Add(other.Gradient, factor, result.Gradient);
        });
        return result;
    }

    /// <summary>Each row over its root mean square, times a frozen weight.</summary>
    public Matrix Norm(Matrix inputs, Matrix weight, double epsilon)
    {
        var result = new Matrix(inputs.Rows, inputs.Columns);
        var scales = new double[inputs.Rows];
        for (var row = 0; row < inputs.Rows; row++)
        {
            var x = inputs.Row(row);
            scales[row] = 1 / Math.Sqrt((Rows.Dot(x, x) / x.Length) + epsilon);
            for (var i = 0; i < x.Length; i++)
                result.Row(row)[i] = x[i] * scales[row] * weight.Data[i];
        }
        wayBack.Push(() =>
        {
            for (var row = 0; inputs.Learns && row < inputs.Rows; row++)
            {
                var x = inputs.Row(row);
                var change = result.GradientOf(row);
                var back = inputs.GradientOf(row);
                var mean = 0.0;
                for (var i = 0; i < x.Length; i++)
                    mean += change[i] * weight.Data[i] * x[i] / x.Length;
                for (var i = 0; i < x.Length; i++)
                    back[i] += scales[row] * ((change[i] * weight.Data[i]) - (x[i] * mean * scales[row] * scales[row]));
            }
        });
        return result;
    }

    /// <summary>Neighbours of each head turned by angles that grow with the row.</summary>
    public Matrix Turn(Matrix inputs, int headSize, double rotaryBase)
    {
        var result = new Matrix(inputs.Rows, inputs.Columns);
        Turn(inputs.Row, result.Row, back: false);
        wayBack.Push(() => Turn(result.GradientOf, inputs.GradientOf, back: true));
        return result;

        void Turn(RowOf from, RowOf to, bool back)
        {
            for (var row = 0; row < inputs.Rows; row++)
            {
                var source = from(row);
                var target = to(row);
                for (var i = 0; i < source.Length; i += 2)
                {
                    var angle = row * Math.Pow(rotaryBase, -(double)(i % headSize) / headSize);
                    var (sine, cosine) = Math.SinCos(back ? -angle : angle);
                    target[i] += (source[i] * cosine) - (source[i + 1] * sine);
                    target[i + 1] += (source[i] * sine) + (source[i + 1] * cosine);
                }
            }
        }
    }

    /// <summary>SiLU of one times the other.</summary>
    public Matrix Gate(Matrix gate, Matrix up)
    {
        var result = new Matrix(gate.Rows, gate.Columns);
        for (var i = 0; i < result.Data.Length; i++)
            result.Data[i] = gate.Data[i] * Sigmoid(gate.Data[i]) * up.Data[i];
        wayBack.Push(() =>
        {
            for (var i = 0; i < result.Data.Length; i++)
            {
                var (x, open) = (gate.Data[i], Sigmoid(gate.Data[i]));
                gate.Gradient[i] += result.Gradient[i] * up.Data[i] * open * (1 + (x * (1 - open)));
                up.Gradient[i] += result.Gradient[i] * x * open;
            }
        });
        return result;
    }

    /// <summary>Sum over the rows with a target (not negative) of the cross-entropy, in nats.</summary>
    public double Loss(Matrix logits, ReadOnlySpan<int> targets)
    {
        var sum = 0.0;
        var shares = new Matrix(logits.Rows, logits.Columns, [.. logits.Data], learns: false);
        var wanted = targets.ToArray();
        for (var row = 0; row < logits.Rows; row++)
        {
            var total = Softmax(shares.Row(row));
            if (wanted[row] >= 0)
                sum += total - logits.Row(row)[wanted[row]];
        }
        wayBack.Push(() =>
        {
            for (var row = 0; row < logits.Rows; row++)
            {
                if (wanted[row] < 0)
                    continue;
                Rows.Add(logits.GradientOf(row), 1, shares.Row(row));
                logits.GradientOf(row)[wanted[row]] -= 1;
            }
        });
        return sum;
    }

    /// <summary>Heads of queries over the rows before them in their own segment; groups of heads share keys and values.</summary>
    public Matrix Attend(Matrix queries, Matrix keys, Matrix values, int headSize, ReadOnlySpan<int> segments)
    {
        var attention = new Attention(queries, keys, values, headSize, segments.ToArray());
        wayBack.Push(attention.Backward);
        return attention.Result;
    }

    /// <summary>Turns numbers into shares of one; returns the logarithm of the sum of their exponentials.</summary>
    public static double Softmax(Span<double> row)
    {
        var highest = double.NegativeInfinity;
        foreach (var value in row)
            highest = Math.Max(highest, value);
        var sum = 0.0;
        foreach (ref var value in row)
            sum += value = Math.Exp(value - highest);
        foreach (ref var value in row)
            value /= sum;
        return highest + Math.Log(sum);
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private delegate Span<double> RowOf(int row);
}
