using System.CommandLine;
using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet bench checkpoint</c>: states saved and restored through a silo, against bare COPY.</summary>
internal static class CheckpointBenchVerb
{
    private static readonly Option<int> Runs = new Option<int>("--runs")
    {
        Description = "Measure everything so many times; the figures are medians",
        DefaultValueFactory = _ => 5,
        HelpName = "N",
    }.Within(1, 100);

    private static readonly Option<int> Megabytes = new Option<int>("--megabytes")
    {
        Description = "Size of the state",
        DefaultValueFactory = _ => 500,
        HelpName = "N",
    }.Within(1, 2_000);

    private static readonly Option<int> TrainSeconds = new Option<int>("--train-seconds")
    {
        Description = "Train so long to see how long checkpoints make it wait; 0: do not",
        DefaultValueFactory = _ => 120,
        HelpName = "N",
    }.Within(0, 3_600);

    private static readonly Option<string?> JsonFile = new("--json")
    {
        Description = "Write the line of JSON to this file as well",
        HelpName = "FILE",
    };

    private static readonly Option<bool> Check = new("--check")
    {
        Description = "End with status 1 when a goal is missed by more than its margin",
    };

    public static Command Create()
    {
        var command = new Command(CheckpointBench.Verb, "Save and restore states through a silo, against bare COPY")
        {
            Runs,
            Megabytes,
            TrainSeconds,
            JsonFile,
            Check,
        };
        command.SetAction(
            (parsed, token) =>
                BenchProgram.RunAsync(
                    CheckpointBench.Verb,
                    new CheckpointBench(
                        parsed.GetValue(Runs),
                        parsed.GetValue(Megabytes),
                        parsed.GetValue(TrainSeconds),
                        parsed.GetValue(JsonFile) is { } file ? Path.GetFullPath(file) : null,
                        parsed.GetValue(Check)
                    ).ToJson(),
                    token
                )
        );
        return command.WithExamples(
            "./fleet bench checkpoint",
            "./fleet bench checkpoint --runs 1 --megabytes 50 --train-seconds 0"
        );
    }
}
