using System.CommandLine;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Evidence;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet hardware-check</c>: makes every device of this machine show what it can, and writes one redacted report.</summary>
internal static class HardwareCheckVerb
{
    private const double MinutesDefault = 10;

    private static readonly Option<double> Minutes = new Option<double>("--minutes")
    {
        Description = "Most time it may take in all; what does not fit is reported as not run",
        DefaultValueFactory = _ => MinutesDefault,
        HelpName = "N",
    }.Within(0.1, Limits.CheckMinutesMax);

    private static readonly Option<string?> Model = new("--model")
    {
        Description = "GGUF file to load instead of the small one that comes along",
        HelpName = "FILE",
    };

    private static readonly Option<string> Out = new("--out")
    {
        Description = "Folder for the report",
        DefaultValueFactory = _ => ".",
        HelpName = "DIR",
    };

    private static readonly Option<string[]> Only = new("--only")
    {
        Description = "Only these devices, as egpu0 or cpu0; may be given several times",
        HelpName = "DEVICE",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string?> Engine = new Option<string?>("--engine")
    {
        Description = "Only this engine",
        HelpName = "NAME",
    }.AcceptOnlyFromAmong(LlamaCppSettings.Engine, TinygradSettings.Engine);

    private static readonly Option<string[]> Without = new Option<string[]>("--without")
    {
        Description = "Leave this step out; may be given several times, and the report says so",
        HelpName = "STEP",
        Arity = ArgumentArity.OneOrMore,
    }.AcceptOnlyFromAmong([.. EvidenceSteps.All.Select(step => step.Id)]);

    public static Command Create()
    {
        var command = new Command(
            "hardware-check",
            "Make the GPUs of this machine show what they can, in 10 minutes, and write a report without private data"
        )
        {
            Minutes,
            Model,
            Out,
            Only,
            Engine,
            Without,
        };
        command.SetAction(RunAsync);
        return command.WithExamples(
            "./fleet hardware-check                        status 0 where all that ran passed, else 1",
            "./fleet hardware-check --only egpu0 --minutes 5",
            "./fleet hardware-check --model ~/models/qwen3-0.6b-q8_0.gguf --out ~/Desktop"
        );
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        if (DataLock.IsHeld(invocation.Paths))
        {
            throw new FleetFailure(
                $"A fleet runs on {invocation.Data}, and its workers have the devices.",
                "Stop it by ./fleet down, then run this again."
            );
        }
        var folder = Directory.CreateDirectory(parsed.GetValue(Out)!).FullName;
        var budget = new EvidenceBudget(TimeSpan.FromMinutes(parsed.GetValue(Minutes)), invocation.Clock);
        var model = await TestModel.ReadAsync(
            parsed.GetValue(Model) ?? Path.Combine(Programs.Root, "samples", "models", "tiny-fleet.gguf"),
            cancellationToken
        );
        var check = new HardwareCheck(
            invocation,
            model,
            budget,
            parsed.GetValue(Without)?.ToHashSet(StringComparer.Ordinal) ?? []
        );
        return await check.RunAsync(parsed.GetValue(Only) ?? [], parsed.GetValue(Engine), folder, cancellationToken)
            ? ExitCodes.Ok
            : ExitCodes.Failed;
    }
}
