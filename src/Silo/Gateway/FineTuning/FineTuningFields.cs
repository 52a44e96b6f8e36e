using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training;
using EgpuFleet.Silo.Gateway.OpenAi;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>What a request for a fine-tuning job says, its fields checked one by one.</summary>
/// <param name="Devices">Null: any.</param>
internal sealed record FineTuningFields(
    string Model,
    string TrainingFile,
    string? ValidationFile,
    string? Suffix,
    long? Seed,
    IReadOnlyDictionary<string, string>? Metadata,
    FineTuningWish Wish,
    DeviceChoice? Devices,
    string? Engine,
    string? StartFrom,
    int Priority,
    int EvaluateEverySteps,
    int CheckpointSeconds,
    DataParallelParameters? DataParallel
)
{
    private const int SuffixCharacters = 64;
    private const int MostEpochs = 50;
    private const int MostBatchRows = 256;
    private const int MostRank = 512;
    private const int MostRowTokens = 1 << 17;
    private const long MostSteps = 10_000_000;
    private const int MostEvaluationSteps = 1_000_000;

    private static readonly string[] Extras =
    [
        "method",
        "rank",
        "alpha",
        "targets",
        "row_tokens",
        "learning_rate",
        "max_steps",
        "engine",
        "require",
        "prefer",
        "start_from",
        "priority",
        "evaluate_every_steps",
        "checkpoint_seconds",
        DataParallelFields.Name,
    ];

    /// <exception cref="GatewayException">400: a field is wrong, missing, or asks for what is not done here.</exception>
    public static FineTuningFields Read(JsonElement body)
    {
        var fields = new RequestFields(body);
        fields.Refuse("integrations", value => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0);
        var hyper = Hyperparameters(fields);
        var ours = Object(fields, "egpufleet") ?? Empty();
        OnlyKnown(ours, "egpufleet", Extras);
        var extras = new RequestFields(ours);
        return new FineTuningFields(
            fields.RequiredText("model"),
            fields.RequiredText("training_file"),
            fields.Text("validation_file"),
            SuffixOf(fields),
            fields.Whole("seed", 0, int.MaxValue),
            Pairs(fields),
            WishOf(hyper, extras),
            DevicesOf(extras),
            EngineOf(extras),
            extras.Text("start_from"),
            (int)(extras.Whole("priority", -Limits.PriorityBound, Limits.PriorityBound) ?? 0),
            (int)(extras.Whole("evaluate_every_steps", 1, MostEvaluationSteps) ?? 50),
            (int)(extras.Whole("checkpoint_seconds", 1, 60) ?? 60),
            SharedOf(extras)
        );
    }

    /// <summary>Those of the method, else the ones at the top, which older clients send.</summary>
    private static RequestFields Hyperparameters(RequestFields fields)
    {
        var top = Object(fields, "hyperparameters");
        if (Object(fields, "method") is not { } method)
            return new RequestFields(top ?? Empty());
        var type = new RequestFields(method).RequiredText("type");
        if (type != "supervised")
            throw new GatewayException(
                System.Net.HttpStatusCode.BadRequest,
                "unsupported_method",
                $"The method {(type is "dpo" or "reinforcement" ? type : "asked for")} is not done here; supervised is."
            )
            {
                Param = "method.type",
            };
        var supervised = Object(new RequestFields(method), "supervised");
        var inner = supervised is { } given ? Object(new RequestFields(given), "hyperparameters") : null;
        if (inner is not null && top is not null)
            throw RequestFields.Wrong("hyperparameters", "must be left out beside those of the method");
        return new RequestFields(inner ?? top ?? Empty());
    }

    private static FineTuningWish WishOf(RequestFields hyper, RequestFields extras)
    {
        var method = extras.Text("method") switch
        {
            null or "lora" => TrainingMethod.Lora,
            "full" => TrainingMethod.Full,
            _ => throw RequestFields.Wrong("method", "must be lora or full"),
        };
        var wish = new FineTuningWish(
            method,
            (int?)Chosen(hyper, "n_epochs")?.Whole("n_epochs", 1, MostEpochs),
            (int?)Chosen(hyper, "batch_size")?.Whole("batch_size", 1, MostBatchRows),
            Chosen(hyper, "learning_rate_multiplier")?.Number("learning_rate_multiplier", 1e-6, 1e6),
            (int?)extras.Whole("rank", 1, MostRank),
            extras.Number("alpha", 1e-3, 1e5),
            Targets(extras),
            (int?)extras.Whole("row_tokens", 8, MostRowTokens),
            extras.Number("learning_rate", 1e-9, 10),
            extras.Whole("max_steps", 1, MostSteps) ?? 0
        );
        if (method == TrainingMethod.Full && (wish.Rank ?? wish.Alpha) is not null)
            throw RequestFields.Wrong("rank", "and alpha are of the method lora");
        if (method == TrainingMethod.Full && wish.Targets is not null)
            throw RequestFields.Wrong("targets", "are of the method lora");
        return wish;
    }

    /// <summary>Null where the value is left to us.</summary>
    private static RequestFields? Chosen(RequestFields hyper, string name) =>
        hyper.Value(name) is { ValueKind: JsonValueKind.String } word && RequestFields.Text(word, name) == "auto"
            ? null
            : hyper;

    private static List<string>? Targets(RequestFields extras)
    {
        if (extras.Value("targets") is not { } list)
            return null;
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > 7)
            throw RequestFields.Wrong("targets", "must be a list of matrices");
        var named = list.EnumerateArray().Select(one => RequestFields.Text(one, "targets")).ToList();
        if (named.Distinct(StringComparer.Ordinal).Count() != named.Count || named.Exists(one => !IsTarget(one)))
            throw RequestFields.Wrong(
                "targets",
                $"must be some of {string.Join(", ", FineTuningChoice.AllTargets)}, each once"
            );
        // In the order of a block, so that the same choice is the same run.
        return [.. FineTuningChoice.AllTargets.Where(named.Contains)];
    }

    private static bool IsTarget(string name) => FineTuningChoice.AllTargets.Contains(name);

    private static string? EngineOf(RequestFields extras) =>
        extras.Text("engine") switch
        {
            null => null,
            "torch" or "tinygrad" => extras.Text("engine"),
            _ => throw RequestFields.Wrong("engine", "must be torch or tinygrad"),
        };

    private static DeviceChoice? DevicesOf(RequestFields extras)
    {
        var (require, prefer) = (Kind("require"), Kind("prefer"));
        return require is null && prefer is null ? null : new DeviceChoice(require, prefer);

        DeviceClass? Kind(string name) =>
            extras.Text(name) is not { } word
                ? null
                : DeviceWords.Find(word) ?? throw RequestFields.Wrong(name, DeviceWords.MustBe);
    }

    private static string? SuffixOf(RequestFields fields)
    {
        if (fields.Text("suffix") is not { Length: > 0 } suffix)
            return null;
        return
            suffix.Length <= SuffixCharacters && suffix.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? suffix
            : throw RequestFields.Wrong("suffix", $"must have at most {SuffixCharacters} of A-Z a-z 0-9 . _ -");
    }

    private static Dictionary<string, string>? Pairs(RequestFields fields)
    {
        if (Object(fields, "metadata") is not { } given)
            return null;
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var one in given.EnumerateObject())
        {
            var value = RequestFields.Text(one.Value, "metadata");
            var key = Name(one, "metadata");
            if (key.Length is 0 or > 64 || value.Length > 512 || key.Contains('\0') || value.Contains('\0'))
                throw RequestFields.Wrong(
                    "metadata",
                    "must have keys of at most 64 and values of at most 512 characters"
                );
            pairs[key] = value;
        }
        return pairs.Count <= 16 ? pairs : throw RequestFields.Wrong("metadata", "must have at most 16 pairs");
    }

    private static JsonElement? Object(RequestFields fields, string name) =>
        fields.Value(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Object } value => value,
            _ => throw RequestFields.Wrong(name, "must be an object"),
        };

    private static DataParallelParameters? SharedOf(RequestFields extras)
    {
        if (Object(extras, DataParallelFields.Name) is not { } given)
            return null;
        OnlyKnown(given, DataParallelFields.Name, DataParallelFields.Known);
        return extras.Value("max_steps") is null
            ? DataParallelFields.Read(given)
            : throw RequestFields.Wrong("max_steps", "must be left out of a run that devices share: its epochs end it");
    }

    private static void OnlyKnown(JsonElement ours, string name, string[] known)
    {
        foreach (var field in ours.EnumerateObject())
        {
            if (!known.Contains(Name(field, name), StringComparer.Ordinal))
                throw RequestFields.Wrong(name, $"has only these fields: {string.Join(", ", known)}");
        }
    }

    private static string Name(JsonProperty property, string field)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            throw RequestFields.Wrong(field, "has a name that is not valid text");
        }
    }

    private static JsonElement Empty()
    {
        using var none = JsonDocument.Parse("{}");
        return none.RootElement.Clone();
    }
}
