namespace EgpuFleet.Grains.Training.Policy;

/// <summary>Why a contribution was not applied.</summary>
public enum DropReason
{
    /// <summary>It has a value that is no number.</summary>
    NotFinite,

    /// <summary>Its norm is more than five times the median of the round.</summary>
    TooLarge,

    /// <summary>Its bytes are not what they were.</summary>
    Damaged,
}

/// <summary>Which contributions of a round are applied, by their norms.</summary>
public static class DeltaJudgement
{
    /// <summary>Times the median beyond which a contribution is none that learning makes.</summary>
    public const double MostOverMedian = 5;

    /// <param name="norms">Norm over all tensors of each contribution; not finite when a value is not; null: it could not be read.</param>
    /// <returns>A reason for each that is dropped, null for the others.</returns>
    public static IReadOnlyList<DropReason?> Judge(IReadOnlyList<double?> norms)
    {
        double[] sorted =
        [
            .. norms.Where(norm => norm is { } value && double.IsFinite(value)).Select(n => n!.Value).Order(),
        ];
        var median = sorted.Length == 0 ? 0 : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        return [.. norms.Select(norm => Judge(norm, median))];
    }

    private static DropReason? Judge(double? norm, double median) =>
        norm switch
        {
            null => DropReason.Damaged,
            { } value when !double.IsFinite(value) => DropReason.NotFinite,
            { } value when value > MostOverMedian * median => DropReason.TooLarge,
            _ => null,
        };
}

/// <summary>The norm of a difference that comes in blocks.</summary>
public sealed class DeltaNorm
{
    private double squares;

    public double Value => Math.Sqrt(squares);

    public void Add(ReadOnlySpan<float> block)
    {
        foreach (var value in block)
            squares += (double)value * value;
    }
}
