namespace EgpuFleet.Kernels.Measuring;

/// <summary>Least squares for a few unknowns that cannot be negative, such as times and costs.</summary>
internal static class NonNegativeFit
{
    /// <summary>
    /// The coefficients, none below zero, whose sums come closest to what was measured, every error taken relative to what
    /// was measured. All of them at once where that is possible; else some are zero.
    /// </summary>
    /// <param name="features">One row per measurement, all of one length, at most 8; at least as many rows as columns.</param>
    /// <param name="measured">Above zero, one per row.</param>
    public static double[] Solve(IReadOnlyList<double[]> features, IReadOnlyList<double> measured)
    {
        var columns = features[0].Length;
        double[] best = [];
        var least = double.PositiveInfinity;
        for (var chosen = 1; chosen < 1 << columns; chosen++)
        {
            int[] used = [.. Enumerable.Range(0, columns).Where(column => (chosen >> column & 1) == 1)];
            if (SolveFor(used, features, measured) is not { } some)
                continue;
            var all = new double[columns];
            for (var i = 0; i < used.Length; i++)
                all[used[i]] = some[i];
            var error = Error(all, features, measured);
            if (error >= least)
                continue;
            (best, least) = (all, error);
        }
        return best;
    }

    private static double Error(double[] coefficients, IReadOnlyList<double[]> features, IReadOnlyList<double> measured)
    {
        var sum = 0.0;
        for (var row = 0; row < measured.Count; row++)
        {
            var predicted = features[row].Zip(coefficients, (feature, one) => feature * one).Sum();
            var error = (predicted / measured[row]) - 1;
            sum += error * error;
        }
        return sum;
    }

    /// <summary>The normal equations over some columns by elimination; null where they have no answer, or one below zero.</summary>
    private static double[]? SolveFor(int[] used, IReadOnlyList<double[]> features, IReadOnlyList<double> measured)
    {
        var size = used.Length;
        // Columns are scaled to 1, or a cost per byte and one per step would share no precision.
        var scale = Array.ConvertAll(used, column => features.Max(row => Math.Abs(row[column])));
        if (scale.Any(one => one == 0))
            return null;
        var equations = new double[size, size + 1];
        for (var row = 0; row < measured.Count; row++)
        {
            for (var i = 0; i < size; i++)
            {
                var left = features[row][used[i]] / scale[i] / measured[row];
                for (var j = 0; j < size; j++)
                    equations[i, j] += left * features[row][used[j]] / scale[j] / measured[row];
                equations[i, size] += left;
            }
        }
        if (!Eliminate(equations, size))
            return null;
        var solution = new double[size];
        for (var i = 0; i < size; i++)
        {
            solution[i] = equations[i, size] / equations[i, i] / scale[i];
            if (!double.IsFinite(solution[i]) || solution[i] < 0)
                return null;
        }
        return solution;
    }

    private static bool Eliminate(double[,] equations, int size)
    {
        const double Singular = 1e-12;
        for (var pivot = 0; pivot < size; pivot++)
        {
            var largest = pivot;
            for (var row = pivot + 1; row < size; row++)
                largest = Math.Abs(equations[row, pivot]) > Math.Abs(equations[largest, pivot]) ? row : largest;
            if (Math.Abs(equations[largest, pivot]) < Singular)
                return false;
            for (var column = 0; column <= size; column++)
                (equations[pivot, column], equations[largest, column]) = (
                    equations[largest, column],
                    equations[pivot, column]
                );
            for (var row = 0; row < size; row++)
            {
                if (row == pivot)
                    continue;
                var factor = equations[row, pivot] / equations[pivot, pivot];
                for (var column = pivot; column <= size; column++)
                    equations[row, column] -= factor * equations[pivot, column];
            }
        }
        return true;
    }
}
