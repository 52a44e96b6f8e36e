namespace EgpuFleet.EndToEnd.Tests.Training.Independent;

/// <summary>AdamW with the gradients clipped by their norm over all weights.</summary>
internal sealed class Adam(IReadOnlyList<Matrix> weights)
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.95;
    private const double Epsilon = 1e-8;
    private const double Decay = 0.01;
    private const double Clip = 1;

    private readonly double[][] firsts = [.. weights.Select(weight => new double[weight.Data.Length])];
    private readonly double[][] seconds = [.. weights.Select(weight => new double[weight.Data.Length])];
    private int steps;

    /// <summary>One step down gradients that are sums over so many tokens; they begin anew.</summary>
    public void Step(double rate, int tokens)
    {
        steps++;
        var norm = Math.Sqrt(weights.Sum(weight => Rows.Dot(weight.Gradient, weight.Gradient))) / tokens;
        var factor = Math.Min(1, Clip / norm) / tokens;
        for (var i = 0; i < weights.Count; i++)
        {
            var (weight, gradient) = (weights[i].Data, weights[i].Gradient);
            for (var j = 0; j < weight.Length; j++)
            {
                var change = gradient[j] * factor;
                firsts[i][j] += (1 - Beta1) * (change - firsts[i][j]);
                seconds[i][j] += (1 - Beta2) * ((change * change) - seconds[i][j]);
                var first = firsts[i][j] / (1 - Math.Pow(Beta1, steps));
                var second = seconds[i][j] / (1 - Math.Pow(Beta2, steps));
                weight[j] -= rate * ((first / (Math.Sqrt(second) + Epsilon)) + (Decay * weight[j]));
            }
            Array.Clear(gradient);
        }
    }
}
