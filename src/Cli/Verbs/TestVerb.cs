using System.CommandLine;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Cli.Terminal;
using EgpuFleet.Cli.Testing;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet test</c>: runs every test project, one after the other, and adds up.</summary>
internal static class TestVerb
{
    private static readonly Option<string?> Filter = new("--filter")
    {
        Description = "Only tests whose name contains this",
        HelpName = "TEXT",
    };

    private static readonly Option<string?> Project = new("--project")
    {
        Description = "Only test projects whose name contains this",
        HelpName = "NAME",
    };

    private static readonly Option<int?> Seeds = new("--seeds")
    {
        Description = "How many simulated fleets to run, each with its own faults; their progress is shown",
        HelpName = "COUNT",
    };

    public static Command Create()
    {
        var command = new Command("test", "Run every test; the last line counts them") { Filter, Project, Seeds };
        command.SetAction(RunAsync);
        return command.WithExamples(
            "./fleet test",
            "./fleet test --project Grains",
            "./fleet test --project EndToEnd --filter Golden",
            "./fleet test --project Simulation --seeds 20000"
        );
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var console = invocation.Console;
        var projects = TestProject.Find(Programs.Root, parsed.GetValue(Project));
        if (projects.Count == 0)
            throw new FleetFailure(
                "No test project has such a name.",
                "See the folders in tests/.",
                ExitCodes.NotFound
            );
        var seeds = parsed.GetValue(Seeds);
        if (seeds < 1)
            throw new FleetFailure("--seeds is at least 1.", "Leave it out for the usual number.", ExitCodes.Usage);
        Action<string>? echo = seeds is null ? null : console.Line;
        var run = new TestRun(parsed.GetValue(Filter), seeds, echo, invocation.Clock);
        var outcomes = new List<ProjectOutcome>();
        foreach (var project in projects)
        {
            if (console.IsInteractive)
                console.Output.Write($"{project.Name, -24} …");
            var outcome = await run.RunAsync(project, cancellationToken);
            outcomes.Add(outcome);
            var start = console.IsInteractive ? "\r" : "";
            console.Line($"{start}{project.Name, -24} {Format.Seconds(outcome.Elapsed), 8}  {outcome.Counts}");
        }
        var summary = new TestSummary(outcomes);
        console.Show(summary, _ => Print(console, summary));
        return summary.IsGreen ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static void Print(FleetConsole console, TestSummary summary)
    {
        foreach (var test in summary.Failures)
        {
            console.Line();
            console.Line($"FAILED {test.Name}");
            console.Line(Indented(test.Message));
        }
        if (summary.Skips.Count > 0)
            console.Line();
        foreach (var test in summary.Skips)
            console.Line($"SKIPPED {test.Name}: {test.Message}");
        console.Line();
        console.Line(summary.Counts.ToString());
    }

    private static string Indented(string text) =>
        string.Join(Environment.NewLine, text.Split('\n').Select(line => "  " + line.TrimEnd()));
}
