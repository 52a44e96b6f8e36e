using System.CommandLine;
using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet bench diloco</c>: what training in rounds learns and sends, against one device on the same tokens.</summary>
internal static class DilocoBenchVerb
{
    private static readonly Option<int> Runs = new Option<int>("--runs")
    {
        Description = "So many shuffles of the text; the figures are medians",
        DefaultValueFactory = _ => 1,
        HelpName = "N",
    }.Within(1, 20);

    private static readonly Option<bool> Quick = new("--quick")
    {
        Description = "An eighth of the steps, only to see that it works: no goal is looked at",
    };

    private static readonly Option<bool> Check = new("--check")
    {
        Description = "End with status 1 when a goal is missed by more than its margin",
    };

    public static Command Create()
    {
        var command = new Command(
            DilocoBench.Verb,
            "Train in rounds on 1, 2 and 4 workers, against one on the same tokens"
        )
        {
            Runs,
            Quick,
            Check,
        };
        command.SetAction(
            (parsed, token) =>
                BenchProgram.RunAsync(
                    DilocoBench.Verb,
                    new DilocoBench(parsed.GetValue(Runs), parsed.GetValue(Quick), parsed.GetValue(Check)).ToJson(),
                    token
                )
        );
        return command.WithExamples("./fleet bench diloco --quick", "./fleet bench diloco --runs 3 --check");
    }
}
