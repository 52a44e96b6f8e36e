using EgpuFleet.Benchmarks.Reports;

namespace EgpuFleet.Benchmarks.Tests;

/// <summary>Goals against figures on either side of their bounds.</summary>
public sealed class GoalTests
{
    [Theory]
    [InlineData(150, true, true)]
    [InlineData(149, false, true)]
    [InlineData(135, false, true)]
    [InlineData(134, false, false)]
    public void At_least_is_a_ratio_to_the_best_of_the_others(double ours, bool met, bool within)
    {
        var figures = Figures(("submit_16", ours), ("a.submit_16", 100), ("b.submit_16", 20));
        var goal = Goal(["submit_16"], atLeast: 1.5, of: ["a.submit_16", "b.submit_16"]);

        var verdict = goal.Judge(figures)!;

        Assert.Equal((met, within), (verdict.IsMet, verdict.IsWithinMargin));
    }

    [Theory]
    [InlineData(3.0, true, true)]
    [InlineData(3.2, false, true)]
    [InlineData(3.4, false, false)]
    public void At_most_is_absolute_without_a_unit(double ours, bool met, bool within)
    {
        var verdict = Goal(["dispatch_p50_ms"], atMost: 3).Judge(Figures(("dispatch_p50_ms", ours)))!;

        Assert.Equal((met, within), (verdict.IsMet, verdict.IsWithinMargin));
    }

    [Fact]
    public void The_better_of_two_figures_counts()
    {
        var goal = Goal(["submit_256", "submit_bulk"], atLeast: 10_000);

        Assert.True(goal.Judge(Figures(("submit_256", 4_000), ("submit_bulk", 12_000)))!.IsMet);
    }

    [Fact]
    public void A_goal_is_not_judged_without_every_figure_it_compares_with()
    {
        var goal = Goal(["submit_16"], atLeast: 1.5, of: ["a.submit_16", "b.submit_16"]);

        Assert.Null(goal.Judge(Figures(("submit_16", 1_000), ("a.submit_16", 100))));
        Assert.Null(goal.Judge(Figures(("a.submit_16", 100), ("b.submit_16", 100))));
    }

    [Fact]
    public void A_figure_that_is_no_number_is_refused() =>
        Assert.Throws<ArgumentException>(() => new FigureBook().Add("submit_1", double.NaN));

    [Theory]
    [InlineData("queue")]
    [InlineData("engine")]
    public void The_budgets_of_the_repository_are_complete(string benchmark)
    {
        var goals = Budgets.Of(benchmark);

        Assert.NotEmpty(goals);
        Assert.All(goals, goal => Assert.NotEmpty(goal.BestOf));
    }

    private static Goal Goal(string[] bestOf, double? atLeast = null, double? atMost = null, string[]? of = null) =>
        new("a goal", bestOf, atLeast, atMost, of, 0.1, "a reason");

    private static FigureBook Figures(params (string Name, double Value)[] values)
    {
        var figures = new FigureBook();
        foreach (var (name, value) in values)
            figures.Add(name, value);
        return figures;
    }
}
