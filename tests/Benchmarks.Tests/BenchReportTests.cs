using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Benchmarks.Reports;

namespace EgpuFleet.Benchmarks.Tests;

/// <summary>The last line of the queue benchmark, as a program reads it.</summary>
public sealed class BenchReportTests
{
    [Fact]
    public void The_json_line_has_medians_by_name_and_each_peer_in_an_object_of_its_own()
    {
        using var line = JsonDocument.Parse(Report().JsonLine());
        var root = line.RootElement;

        Assert.Equal(2_000, root.GetProperty("submit_16").GetDouble());
        Assert.Equal(1.235, root.GetProperty("submit_16_p50_ms").GetDouble());
        Assert.Equal(500, root.GetProperty("bullmq").GetProperty("submit_16").GetDouble());
        Assert.Equal(
            [1_000, 3_000, 2_000],
            root.GetProperty("spread").GetProperty("submit_16").GetProperty("runs").EnumerateArray().Select(Number)
        );
        Assert.Equal(5, root.GetProperty("setting").GetProperty("runs").GetInt32());
    }

    [Fact]
    public void The_json_line_is_one_line() => Assert.DoesNotContain('\n', Report().JsonLine());

    [Fact]
    public void Goals_are_reported_with_what_they_came_to()
    {
        using var line = JsonDocument.Parse(Report().JsonLine());
        var goal = Assert.Single(line.RootElement.GetProperty("goals").EnumerateArray());

        Assert.Equal(4, goal.GetProperty("value").GetDouble());
        Assert.Equal(1.5, goal.GetProperty("at_least").GetDouble());
        Assert.True(goal.GetProperty("met").GetBoolean());
    }

    [Fact]
    public void The_table_has_a_row_per_figure_and_as_many_cells_as_its_header()
    {
        var rows = Report().Rows.ToArray();

        Assert.Equal(3, rows.Length);
        Assert.All(rows, row => Assert.Equal(BenchReport.Header.Count, row.Count));
        Assert.Equal(["submit_16", "2,000", "1,000", "3,000", "100 %", "3"], rows[0]);
    }

    private static double Number(JsonElement value) => value.GetDouble();

    private static BenchReport Report()
    {
        var figures = new FigureBook();
        foreach (var value in new double[] { 1_000, 3_000, 2_000 })
            figures.Add("submit_16", value);
        figures.Add("submit_16_p50_ms", 1.23456);
        figures.Add("bullmq.submit_16", 500);
        var goal = new Goal("beats it", ["submit_16"], 1.5, null, ["bullmq.submit_16"], 0.1, "a reason");
        return new BenchReport("queue", figures, [goal], new JsonObject { ["runs"] = 5 });
    }
}
