using System.Globalization;

namespace EgpuFleet.Dashboard.FineTuning;

/// <summary>A mark beside an axis.</summary>
/// <param name="Percent">Where, from the left or from the top.</param>
public sealed record CurveTick(double Percent, string Label);

/// <summary>Losses over steps as lines in a square of 100 × 100, the origin at the top left. Pure.</summary>
/// <param name="Training">Points of an SVG line; empty without any.</param>
/// <param name="Validation">The same.</param>
/// <param name="Losses">Marks of the vertical axis.</param>
/// <param name="Steps">Marks of the horizontal axis.</param>
public sealed record LossCurve(
    string Training,
    string Validation,
    IReadOnlyList<CurveTick> Losses,
    IReadOnlyList<CurveTick> Steps
)
{
    private const int Marks = 4;

    private static readonly int[] RoundFactors = [1, 2, 5, 10];

    /// <summary>Room above and below the lines, of what they span.</summary>
    private const double Margin = 0.06;

    /// <param name="points">By step; at least one.</param>
    /// <param name="totalSteps">Of the run, where they are known.</param>
    public static LossCurve Of(IReadOnlyCollection<LossPoint> points, long? totalSteps)
    {
        ArgumentNullException.ThrowIfNull(points);
        var losses = points.SelectMany(point => new[] { point.Training, point.Validation ?? point.Training }).ToList();
        var (low, high) = (losses.Min(), losses.Max());
        var room = Math.Max((high - low) * Margin, 1e-3);
        (low, high) = (low - room, high + room);
        var last = Math.Max(1, Math.Max(totalSteps ?? 0, points.Max(point => point.Step)));
        return new LossCurve(
            Line(points.Select(point => (point.Step, point.Training))),
            Line(
                points
                    .Where(point => point.Validation is not null)
                    .Select(point => (point.Step, point.Validation!.Value))
            ),
            [
                .. Round(low, high)
                    .Select(value => new CurveTick(Down(value), value.ToString("0.##", CultureInfo.InvariantCulture))),
            ],
            [
                .. Enumerable
                    .Range(0, Marks + 1)
                    .Select(mark => last * mark / Marks)
                    .Distinct()
                    .Select(step => new CurveTick(
                        100.0 * step / last,
                        step.ToString("N0", CultureInfo.InvariantCulture)
                    )),
            ]
        );

        double Down(double loss) => 100 * (high - loss) / (high - low);

        // A line of one point is drawn where it has two.
        string Line(IEnumerable<(long Step, double Loss)> of)
        {
            var drawn = of.Select(point => Point(point.Step, point.Loss)).ToList();
            return string.Join(' ', drawn.Count == 1 ? [drawn[0], drawn[0]] : drawn);
        }

        string Point(long step, double loss) =>
            string.Create(CultureInfo.InvariantCulture, $"{100.0 * step / last:0.##},{Down(loss):0.##}");
    }

    /// <summary>Round numbers between two others, about as many as <see cref="Marks"/>.</summary>
    private static IEnumerable<double> Round(double low, double high)
    {
        var rough = (high - low) / Marks;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = RoundFactors.Select(factor => factor * power).First(size => size >= rough);
        for (var mark = Math.Ceiling(low / step); mark * step <= high; mark++)
            yield return mark * step;
    }
}
