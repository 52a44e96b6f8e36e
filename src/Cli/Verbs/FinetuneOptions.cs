using System.CommandLine;
using System.CommandLine.Parsing;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Verbs;

/// <summary>What may be said of a fine-tuning job, as the API names it; what is left out, the fleet chooses.</summary>
internal static class FinetuneOptions
{
    public static readonly Option<string?> Validation = new("--validation")
    {
        Description =
            "Held-out data of the same shape, a path or the id of a file: its loss shows whether more training helps",
        HelpName = "FILE",
    };

    private static readonly Option<string?> Suffix = new("--suffix")
    {
        Description = "Part of the name that the result is served by",
        HelpName = "TEXT",
    };

    private static readonly Option<int?> Epochs = new Option<int?>("--epochs")
    {
        Description = "Passes over the data",
        HelpName = "N",
    }.Within(1, 50);

    private static readonly Option<int?> BatchSize = new Option<int?>("--batch-size")
    {
        Description = "Rows of one step",
        HelpName = "N",
    }.Within(1, 256);

    private static readonly Option<long?> MaxSteps = new Option<long?>("--max-steps", "--iters")
    {
        Description = "End after so many steps",
        HelpName = "N",
    }.Within(1, 10_000_000);

    private static readonly Option<double?> LearningRate = new Option<double?>("--learning-rate")
    {
        Description = "At its peak",
        HelpName = "R",
    }.Within(1e-9, 10);

    private static readonly Option<long?> Seed = new Option<long?>("--seed")
    {
        Description = "The same seed, data and options make the same model",
        HelpName = "N",
    }.Within(0, int.MaxValue);

    private static readonly Option<string?> Method = new Option<string?>("--method")
    {
        Description = "lora (an adapter beside the frozen model, the default) or full (all weights)",
    }.AcceptOnlyFromAmong("lora", "full");

    private static readonly Option<int?> Rank = new Option<int?>("--lora-rank")
    {
        Description = "Rank of the adapter (default: 16)",
        HelpName = "N",
    }.Within(1, 512);

    private static readonly Option<double?> Alpha = new Option<double?>("--lora-alpha")
    {
        Description = "Its scale, over the rank (default: twice the rank)",
        HelpName = "A",
    }.Within(1e-3, 1e5);

    private static readonly Option<string?> Targets = new("--lora-targets")
    {
        Description = "Matrices it goes beside, with commas between, such as attn_q,attn_v (default: all)",
        HelpName = "NAMES",
    };

    private static readonly Option<int?> RowTokens = new Option<int?>("--row-tokens")
    {
        Description = "Tokens of a row that samples are packed into",
        HelpName = "N",
    }.Within(8, 1 << 17);

    private static readonly Option<int?> EvaluateEvery = new Option<int?>("--evaluate-every")
    {
        Description = "Steps between two looks at the validation data (default: 50)",
        HelpName = "N",
    }.Within(1, 1_000_000);

    private static readonly Option<int?> SaveEvery = new Option<int?>("--checkpoint-seconds")
    {
        Description = "Most seconds between two checkpoints (default: 60)",
        HelpName = "N",
    }.Within(1, 60);

    private static readonly Option<string?> Engine = new Option<string?>("--engine")
    {
        Description = "Wait for a device that trains with it",
    }.AcceptOnlyFromAmong("torch", "tinygrad");

    private static readonly Option<string[]> Metadata = new("--metadata")
    {
        Description = "A word of your own kept with the job, KEY=VALUE; may be given several times",
        HelpName = "PAIR",
    };

    private static readonly Option[] All =
    [
        Validation,
        Suffix,
        Epochs,
        BatchSize,
        MaxSteps,
        LearningRate,
        Seed,
        Method,
        Rank,
        Alpha,
        Targets,
        RowTokens,
        EvaluateEvery,
        SaveEvery,
        Engine,
        SubmitOptions.Require,
        SubmitOptions.Prefer,
        SubmitOptions.Priority,
        Metadata,
    ];

    public static void AddTo(Command command)
    {
        Array.ForEach(All, command.Add);
        command.Validators.Add(Validate);
    }

    /// <param name="training">Id of the training file, as is <paramref name="validation"/>.</param>
    /// <param name="startFrom">A checkpoint; null: the run begins with the base alone.</param>
    /// <param name="method">Where the command line says none.</param>
    public static FineTuningRequest Request(
        ParseResult parsed,
        string model,
        string training,
        string? validation,
        string? startFrom,
        string? method = null
    )
    {
        var hyper = new HyperparameterOptions(parsed.GetValue(Epochs), parsed.GetValue(BatchSize));
        var ours = new FineTuningExtraOptions(
            parsed.GetValue(Method) ?? method,
            parsed.GetValue(Rank),
            parsed.GetValue(Alpha),
            parsed
                .GetValue(Targets)
                ?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
            parsed.GetValue(RowTokens),
            parsed.GetValue(LearningRate),
            parsed.GetValue(MaxSteps),
            parsed.GetValue(Engine),
            parsed.GetValue(SubmitOptions.Require),
            parsed.GetValue(SubmitOptions.Prefer),
            startFrom,
            parsed.GetValue(SubmitOptions.Priority),
            parsed.GetValue(EvaluateEvery),
            parsed.GetValue(SaveEvery)
        );
        return new FineTuningRequest(
            model,
            training,
            validation,
            parsed.GetValue(Suffix),
            parsed.GetValue(Seed),
            new FineTuningMethodOptions("supervised", new SupervisedOptions(hyper)),
            Pairs(parsed.GetValue(Metadata)),
            ours
        );
    }

    private static Dictionary<string, string>? Pairs(string[]? given) =>
        given is null or []
            ? null
            : given
                .Select(pair => pair.Split('=', 2))
                .ToDictionary(two => two[0], two => two[1], StringComparer.Ordinal);

    private static void Validate(CommandResult result)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pair in result.GetValue(Metadata) ?? [])
        {
            var end = pair.IndexOf('=', StringComparison.Ordinal);
            if (end <= 0)
                result.AddError($"--metadata is {pair}, not KEY=VALUE.");
            else if (!keys.Add(pair[..end]))
                result.AddError($"--metadata names {pair[..end]} twice.");
        }
        var isFull = result.GetValue(Method) == "full";
        if (
            isFull
            && (
                result.GetValue(Rank) is not null
                || result.GetValue(Alpha) is not null
                || result.GetValue(Targets) is not null
            )
        )
            result.AddError("--lora-rank, --lora-alpha and --lora-targets are of --method lora.");
    }
}
