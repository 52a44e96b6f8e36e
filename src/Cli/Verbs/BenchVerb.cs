using System.CommandLine;
using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet bench</c>: hands over to the benchmark program in <c>tests/Benchmarks</c>.</summary>
internal static class BenchVerb
{
    private const int RunsMax = 100;

    private static readonly Option<int> Runs = new Option<int>("--runs")
    {
        Description = "Measure everything so many times; the figures are medians",
        DefaultValueFactory = _ => 5,
        HelpName = "N",
    }.Within(1, RunsMax);

    private static readonly Option<bool> Peers = new("--peers")
    {
        Description = "Measure graphile-worker and BullMQ as well (needs node, npm and redis-server)",
    };

    private static readonly Option<bool> Llama = new("--llama")
    {
        Description = "Measure llama.cpp as well; nothing else may run then: its threads wait for each other",
    };

    private static readonly Option<bool> Million = new("--million")
    {
        Description = "Drain a backlog of a million jobs as well, once",
    };

    private static readonly Option<bool> Quick = new("--quick")
    {
        Description = "Small sizes, to see that it works; the figures are worth nothing",
    };

    private static readonly Option<string[]> Only = new Option<string[]>("--only")
    {
        Description = "Only these phases; may be given several times",
        HelpName = "PHASE",
        Arity = ArgumentArity.OneOrMore,
    }.AcceptOnlyFromAmong(QueueBench.Phases);

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
        var queue = new Command("queue", "Submits, dispatch, end to end and drain of 1 KB no-op jobs")
        {
            Runs,
            Peers,
            Million,
            Quick,
            Only,
            JsonFile,
            Check,
        };
        queue.SetAction(RunAsync);
        queue.WithExamples(
            "./fleet bench queue --quick",
            "./fleet bench queue --runs 5 --peers --million",
            "./fleet bench queue --only submit --only raw --runs 3"
        );
        var engine = new Command("engine", "The tinygrad engine beside tinygrad.llm, of the same checkout")
        {
            Runs,
            Check,
        };
        engine.SetAction(
            (parsed, cancellationToken) =>
            {
                var settings = new EngineBench(parsed.GetValue(Runs), parsed.GetValue(Llama), parsed.GetValue(Check));
                return BenchProgram.RunAsync(EngineBench.Verb, settings.ToJson(), cancellationToken);
            }
        );
        engine.WithExamples("./fleet bench engine --runs 1", "./fleet bench engine --runs 5 --llama --check");
        var train = new Command("train", "Steps of fine-tuning beside a product of matrices, on one thread")
        {
            Runs,
            Check,
        };
        train.SetAction(
            (parsed, cancellationToken) =>
            {
                var settings = new TrainBench(parsed.GetValue(Runs), parsed.GetValue(Check));
                return BenchProgram.RunAsync(TrainBench.Verb, settings.ToJson(), cancellationToken);
            }
        );
        train.WithExamples("./fleet bench train", "./fleet bench train --runs 10 --check");
        return new Command("bench", "Measure this fleet's software on this machine")
        {
            queue,
            engine,
            train,
            CheckpointBenchVerb.Create(),
            DilocoBenchVerb.Create(),
            FaultBenchVerbs.Recovery(),
            FaultBenchVerbs.Chaos(),
            FaultBenchVerbs.Survival(),
            FaultBenchVerbs.Soak(),
        }.WithExamples("./fleet bench queue --quick", "./fleet bench queue --runs 5 --peers --million");
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var settings = new QueueBench(
            parsed.GetValue(Runs),
            parsed.GetValue(Peers),
            parsed.GetValue(Million),
            parsed.GetValue(Quick),
            parsed.GetValue(Only) ?? [],
            parsed.GetValue(JsonFile) is { } file ? Path.GetFullPath(file) : null,
            parsed.GetValue(Check)
        );
        return await BenchProgram.RunAsync(QueueBench.Verb, settings.ToJson(), cancellationToken);
    }
}
