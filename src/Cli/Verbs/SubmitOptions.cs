using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Verbs;

/// <summary>What <c>fleet submit</c> may say of a job, as the API names it.</summary>
internal static class SubmitOptions
{
    private static readonly string[] DeviceKinds = ["cpu", "gpu", "egpu", "apple_gpu", "linux_gpu"];

    private static readonly Option<string> Kind = new Option<string>("--kind")
    {
        Description = "batch (prompts for a model) or noop (proves the way of a job)",
        DefaultValueFactory = _ => "batch",
    }.AcceptOnlyFromAmong("batch", "noop");

    private static readonly Option<string?> Model = new("--model")
    {
        Description = "Name of a registered model; a batch needs one",
        HelpName = "NAME",
    };

    private static readonly Option<string[]> Prompts = new("--prompt")
    {
        Description = "A prompt; may be given several times instead of INPUT",
        HelpName = "TEXT",
    };

    private static readonly Option<string?> Payload = new("--payload")
    {
        Description = "Text of a noop, answered with its SHA-256",
        HelpName = "TEXT",
    };

    private static readonly Option<int?> Array = new Option<int?>("--array")
    {
        Description = "The payload so many times",
        HelpName = "N",
    }.Within(1, 50_000);

    private static readonly Option<int?> Duration = new Option<int?>("--duration-ms")
    {
        Description = "How long each item of a noop takes",
        HelpName = "N",
    }.Within(0, 3_600_000);

    private static readonly Option<string?> Fault = new Option<string?>("--fault")
    {
        Description = "How a noop fails on purpose, where agents are started for rehearsals",
    }.AcceptOnlyFromAmong("none", "fail", "fail_retryable", "crash", "hang");

    private static readonly Option<int?> MaxTokens = new Option<int?>("--max-tokens")
    {
        Description = "Most tokens of an answer (default: up to the end of the context)",
        HelpName = "N",
    }.Within(1, int.MaxValue);

    private static readonly Option<double?> Temperature = new Option<double?>("--temperature")
    {
        Description = "0 (greedy, the default) to 2",
        HelpName = "T",
    }.Within(0, 2);

    private static readonly Option<long?> Seed = new("--seed") { Description = "Seed of sampling", HelpName = "N" };

    public static readonly Option<int?> Priority = new Option<int?>("--priority")
    {
        Description = "-100 to 100, higher first",
        HelpName = "N",
    }.Within(-100, 100);

    private static readonly Option<string[]> AfterOk = new("--after-ok")
    {
        Description = "Start when this job has succeeded; may be given several times",
        HelpName = "ID",
    };

    private static readonly Option<string[]> AfterAny = new("--after-any")
    {
        Description = "Start when this job has ended, however; may be given several times",
        HelpName = "ID",
    };

    private static readonly Option<string?> Deadline = new("--deadline")
    {
        Description = "RFC 3339 time by which it must be done, such as 2026-12-24T18:00:00Z",
        HelpName = "TIME",
    };

    private static readonly Option<double?> MaxRun = new Option<double?>("--max-run")
    {
        Description = "Seconds it may take from its first start",
        HelpName = "S",
    }.Within(0, 365 * 24 * 3600);

    private static readonly Option<int?> Attempts = new Option<int?>("--attempts")
    {
        Description = "Tries of a part that fails (default: 5)",
        HelpName = "N",
    }.Within(1, 100);

    private static readonly Option<double?> Backoff = new Option<double?>("--backoff")
    {
        Description = "Seconds before the second try; doubles with each further one",
        HelpName = "S",
    }.Within(0, 3600);

    private static readonly Option<int?> MaxParallel = new Option<int?>("--max-parallel")
    {
        Description = "Shards of it that may run at once",
        HelpName = "N",
    }.Within(1, 50_000);

    public static readonly Option<string?> Require = new Option<string?>("--require")
    {
        Description = "Run on such devices only, and wait for one",
    }.AcceptOnlyFromAmong(DeviceKinds);

    public static readonly Option<string?> Prefer = new Option<string?>("--prefer")
    {
        Description = "Run on such a device when one is free, else elsewhere; the log of the job says so",
    }.AcceptOnlyFromAmong(DeviceKinds);

    private static readonly Option<bool> Hold = new("--hold") { Description = "Wait for ./fleet jobs release" };

    private static readonly Option[] All =
    [
        Kind,
        Model,
        Prompts,
        Payload,
        Array,
        Duration,
        Fault,
        MaxTokens,
        Temperature,
        Seed,
        Priority,
        AfterOk,
        AfterAny,
        Deadline,
        MaxRun,
        Attempts,
        Backoff,
        MaxParallel,
        Require,
        Prefer,
        Hold,
    ];

    public static void AddTo(Command command) => System.Array.ForEach(All, command.Add);

    /// <summary>Options that describe one job, and so mean nothing beside many.</summary>
    public static IEnumerable<string> Given(System.CommandLine.Parsing.CommandResult result) =>
        All.Where(option => result.GetResult(option) is { Implicit: false }).Select(option => option.Name);

    /// <summary>What is missing or too much; null when the job is described well enough to ask the gateway.</summary>
    public static string? Missing(System.CommandLine.Parsing.CommandResult result, bool hasInput)
    {
        var isNoop = result.GetValue(Kind) == "noop";
        var hasPrompts = result.GetValue(Prompts) is { Length: > 0 };
        var hasPayload = result.GetValue(Payload) is not null;
        if (!isNoop && string.IsNullOrEmpty(result.GetValue(Model)))
            return "Option '--model' is required.";
        if (!isNoop)
            return hasInput == hasPrompts ? "Give either INPUT or --prompt." : null;
        return (hasInput ? 1 : 0) + (hasPrompts ? 1 : 0) + (hasPayload ? 1 : 0) == 1
            ? null
            : "Give one of --payload, --prompt and INPUT.";
    }

    public static JobRequest Request(ParseResult parsed)
    {
        var isNoop = parsed.GetValue(Kind) == "noop";
        var generation = new GenerationOptions(
            MaxTokens: parsed.GetValue(MaxTokens),
            Temperature: parsed.GetValue(Temperature),
            Seed: parsed.GetValue(Seed)
        );
        var items = parsed.GetValue(Prompts) is { Length: > 0 } prompts
            ? prompts.Select(prompt => new BatchLine(Prompt: prompt)).ToArray()
            : null;
        return new JobRequest(
            parsed.GetValue(Kind),
            parsed.GetValue(Model),
            isNoop && generation == new GenerationOptions() ? null : generation,
            parsed.GetValue(Priority),
            items,
            parsed.GetValue(Payload),
            parsed.GetValue(Duration),
            parsed.GetValue(Fault),
            parsed.GetValue(Array) is { } count ? new ArrayOptions(count) : null,
            Dependencies(parsed),
            parsed.GetValue(Deadline),
            parsed.GetValue(MaxRun),
            Retry(parsed),
            parsed.GetValue(MaxParallel),
            parsed.GetValue(Hold) ? true : null,
            Require: parsed.GetValue(Require),
            Prefer: parsed.GetValue(Prefer)
        );
    }

    private static DependencyOptions[]? Dependencies(ParseResult parsed)
    {
        DependencyOptions[] all =
        [
            .. (parsed.GetValue(AfterOk) ?? []).Select(id => new DependencyOptions(id, "after_ok")),
            .. (parsed.GetValue(AfterAny) ?? []).Select(id => new DependencyOptions(id, "after_any")),
        ];
        return all.Length == 0 ? null : all;
    }

    private static RetryOptions? Retry(ParseResult parsed)
    {
        var (attempts, backoff) = (parsed.GetValue(Attempts), parsed.GetValue(Backoff));
        return attempts is null && backoff is null ? null : new RetryOptions(attempts, backoff);
    }
}
