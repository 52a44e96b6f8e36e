using System.Text.Json;

namespace EgpuFleet.Cli.Tests;

/// <summary><c>fleet doctor</c> on this machine, and what it says of failure texts.</summary>
public sealed class DoctorTests
{
    [Fact]
    public async Task This_machine_is_examined_and_the_status_says_whether_it_is_well()
    {
        var ending = await CommandProcess.RunAsync("doctor", "--json");

        var report = JsonDocument.Parse(ending.Output).RootElement;
        var checks = report.GetProperty("checks").EnumerateArray().ToList();
        var failed = checks.Where(check => check.GetProperty("state").GetString() == "failed").ToList();
        Assert.Equal(OperatingSystem.IsMacOS() ? "macos" : "linux", report.GetProperty("platform").GetString());
        Assert.Equal(failed.Count == 0, report.GetProperty("is_well").GetBoolean());
        Assert.Equal(failed.Count == 0 ? 0 : 1, ending.ExitCode);
        Assert.Contains(checks, check => check.GetProperty("id").GetString() == "gpu_on_bus");
        Assert.All(checks, check => Assert.NotEmpty(check.GetProperty("seen").GetString()!));
        Assert.All(failed, check => Assert.NotEmpty(check.GetProperty("fix").GetString()!));
    }

    [Fact]
    public async Task For_people_it_is_a_table_with_what_failed_before_it()
    {
        var ending = await CommandProcess.RunAsync("doctor");

        var lines = ending.Output.Split('\n');
        var header = Array.FindIndex(lines, line => line.StartsWith("CHECK ", StringComparison.Ordinal));
        Assert.InRange(header, 0, lines.Length);
        Assert.Contains(lines[header..], line => line.StartsWith("gpu on bus ", StringComparison.Ordinal));
        Assert.Contains(
            lines,
            line =>
                line.StartsWith("self test ", StringComparison.Ordinal)
                && line.Contains("not run, because", StringComparison.Ordinal)
        );
        Assert.Equal(
            ending.ExitCode == 1,
            lines[..header].Any(line => line.StartsWith("  Fix: ", StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task A_failure_text_is_explained_with_its_cause_and_fix()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "traceback.txt");
        await File.WriteAllTextAsync(file, "Traceback\nKeyError: 63\n", TestContext.Current.CancellationToken);

        var people = await CommandProcess.RunAsync("doctor", "--explain", file);
        var json = await CommandProcess.RunAsync("doctor", "--explain", file, "--json");

        Assert.Equal((0, 0), (people.ExitCode, json.ExitCode));
        Assert.StartsWith("KeyError: 63\n", people.Output, StringComparison.Ordinal);
        Assert.Contains("\n  Fix: ", people.Output, StringComparison.Ordinal);
        var failure = Assert.Single(JsonDocument.Parse(json.Output).RootElement.EnumerateArray());
        Assert.Equal("architecture_reads_ones", failure.GetProperty("id").GetString());
        Assert.Equal("link_dead", failure.GetProperty("class").GetString());
        Assert.Equal("reset_once", failure.GetProperty("action").GetString());
    }

    [Fact]
    public async Task A_text_without_a_known_failure_ends_with_status_1()
    {
        var ending = await CommandProcess.RunAsync("doctor", "--explain", "-");

        Assert.Equal(1, ending.ExitCode);
        Assert.StartsWith("No failure that is known", ending.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_text_that_is_missing_is_not_found()
    {
        var ending = await CommandProcess.RunAsync("doctor", "--explain", "/no/such/traceback.txt");

        Assert.Equal(3, ending.ExitCode);
    }
}
