using System.CommandLine;
using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet bench recovery</c>, <c>chaos</c>, <c>survival</c> and <c>soak</c>: fleets of real processes that are harmed, or just go on.</summary>
internal static class FaultBenchVerbs
{
    private const int DayOfMinutes = 1440;

    private static readonly Option<int> Runs = new Option<int>("--runs")
    {
        Description = "How often each kind of fault is done",
        DefaultValueFactory = _ => 20,
        HelpName = "N",
    }.Within(1, 1000);

    private static readonly Option<string[]> Only = new Option<string[]>("--only")
    {
        Description = "Only these kinds of fault; may be given several times",
        HelpName = "KIND",
        Arity = ArgumentArity.OneOrMore,
    }.AcceptOnlyFromAmong(FaultBench.Kinds);

    private static readonly Option<double> ChaosMinutes = Minutes(20);
    private static readonly Option<double> SoakMinutes = Minutes(30);

    private static readonly Option<int> Faults = new Option<int>("--faults")
    {
        Description = "How many faults; they may overlap",
        DefaultValueFactory = _ => 200,
        HelpName = "N",
    }.Within(0, 100_000);

    private static readonly Option<int> Kills = new Option<int>("--kills")
    {
        Description = "How often a process under the fine-tuning is killed",
        DefaultValueFactory = _ => 20,
        HelpName = "N",
    }.Within(1, 1000);

    private static readonly Option<int> Seed = new("--seed")
    {
        Description = "Plans the faults and the load",
        DefaultValueFactory = _ => 1,
        HelpName = "N",
    };

    private static readonly Option<double> Rate = new Option<double>("--rate")
    {
        Description = "Jobs submitted a second",
        DefaultValueFactory = _ => 500,
        HelpName = "N",
    }.Within(1, 100_000);

    public static Command Recovery()
    {
        var command = new Command(FaultBench.Recovery, "How soon work goes on after a worker, an agent or the leader")
        {
            Runs,
            Only,
        };
        command.SetAction(
            (parsed, token) =>
                BenchProgram.RunAsync(
                    FaultBench.Recovery,
                    new FaultBench(Runs: parsed.GetValue(Runs), Only: parsed.GetValue(Only)).ToJson(),
                    token
                )
        );
        return command.WithExamples(
            "./fleet bench recovery --runs 3",
            "./fleet bench recovery --runs 20 --only leader_killed"
        );
    }

    public static Command Chaos()
    {
        var command = new Command(FaultBench.Chaos, "Kill, freeze and cut off what runs, then check every promise")
        {
            ChaosMinutes,
            Faults,
            Seed,
        };
        command.SetAction(
            (parsed, token) =>
                BenchProgram.RunAsync(
                    FaultBench.Chaos,
                    new FaultBench(
                        Minutes: parsed.GetValue(ChaosMinutes),
                        Faults: parsed.GetValue(Faults),
                        Seed: parsed.GetValue(Seed)
                    ).ToJson(),
                    token
                )
        );
        return command.WithExamples(
            "./fleet bench chaos --minutes 1 --faults 10",
            "./fleet bench chaos --minutes 20 --faults 200 --seed 7"
        );
    }

    public static Command Survival()
    {
        var command = new Command(
            FaultBench.Survival,
            "Kill worker, agent, silo and Postgres under a fine-tuning, then compare it with one in peace"
        )
        {
            Kills,
            Seed,
        };
        command.SetAction(
            (parsed, token) =>
                BenchProgram.RunAsync(
                    FaultBench.Survival,
                    new FaultBench(Faults: parsed.GetValue(Kills), Seed: parsed.GetValue(Seed)).ToJson(),
                    token
                )
        );
        return command.WithExamples("./fleet bench survival --kills 4", "./fleet bench survival --kills 20 --seed 7");
    }

    public static Command Soak()
    {
        var command = new Command(FaultBench.Soak, "A steady load for long: memory, tables and the logs")
        {
            SoakMinutes,
            Rate,
        };
        command.SetAction(
            (parsed, token) =>
                BenchProgram.RunAsync(
                    FaultBench.Soak,
                    new FaultBench(Minutes: parsed.GetValue(SoakMinutes), Rate: parsed.GetValue(Rate)).ToJson(),
                    token
                )
        );
        return command.WithExamples("./fleet bench soak --minutes 1", "./fleet bench soak --minutes 30 --rate 500");
    }

    private static Option<double> Minutes(double standard) =>
        new Option<double>("--minutes")
        {
            Description = "How long",
            DefaultValueFactory = _ => standard,
            HelpName = "N",
        }.Within(0.1, DayOfMinutes);
}
