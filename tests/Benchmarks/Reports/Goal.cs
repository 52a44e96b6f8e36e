namespace EgpuFleet.Benchmarks.Reports;

/// <summary>What a benchmark must show, as <c>budgets.json</c> says it. Exactly one bound is given.</summary>
/// <param name="Name">In words.</param>
/// <param name="BestOf">Figures; the best of those that were measured counts.</param>
/// <param name="AtLeast">Lower bound of the figure, in units of <paramref name="Of"/>.</param>
/// <param name="AtMost">Upper bound of the figure, in units of <paramref name="Of"/>.</param>
/// <param name="Of">Figures of which the best is the unit, each measured; left out: the bound is absolute.</param>
/// <param name="Margin">Share of the bound by which noise may miss it before <c>--check</c> fails.</param>
/// <param name="Reason">Why this bound, and why this margin.</param>
internal sealed record Goal(
    string Name,
    IReadOnlyList<string> BestOf,
    double? AtLeast,
    double? AtMost,
    IReadOnlyList<string>? Of,
    double Margin,
    string Reason
)
{
    /// <summary>Null where a figure it needs was not measured.</summary>
    public Verdict? Judge(FigureBook figures)
    {
        var measured = BestOf.Select(figures.Find).Where(series => series is not null).Select(s => s!.Median).ToArray();
        if (measured.Length == 0)
            return null;
        var units = (Of ?? []).Select(name => figures.Find(name)?.Median).ToArray();
        if (units.Any(unit => unit is null or 0))
            return null;
        var unit = units.Max() ?? 1;
        if (AtLeast is { } least)
        {
            var value = measured.Max() / unit;
            return new Verdict(this, value, least, value >= least, value >= least * (1 - Margin));
        }
        var most = AtMost ?? throw new InvalidOperationException($"The goal '{Name}' has no bound.");
        var reached = measured.Min() / unit;
        return new Verdict(this, reached, most, reached <= most, reached <= most * (1 + Margin));
    }
}

/// <summary>How a goal came out.</summary>
/// <param name="Value">The figure, in the goal's unit.</param>
/// <param name="IsWithinMargin">True also where it is met.</param>
internal sealed record Verdict(Goal Goal, double Value, double Bound, bool IsMet, bool IsWithinMargin);
