using System.Globalization;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Grains.Training;

/// <summary>What a submitter said of a run; null where the choice is ours.</summary>
/// <param name="MaxSteps">0: as many as the epochs make.</param>
/// <param name="FrozenA">Whether only B is trained.</param>
public sealed record FineTuningWish(
    TrainingMethod Method,
    int? Epochs,
    int? BatchSize,
    double? LearningRateMultiplier,
    int? Rank,
    double? Alpha,
    IReadOnlyList<string>? Targets,
    int? RowTokens,
    double? LearningRate,
    long MaxSteps,
    bool FrozenA = false
);

/// <summary>What is known of the training data without a tokenizer.</summary>
/// <param name="LongestBytes">Text of the longest sample.</param>
/// <param name="TextBytes">Text of all samples.</param>
public sealed record TrainingDataFacts(int Samples, long TextBytes, long LongestBytes);

/// <summary>The choices, all made.</summary>
/// <param name="Reasons">Of those that were left to us, by the name of their field.</param>
public sealed record FineTuningChoice(
    int Epochs,
    int BatchRows,
    int RowTokens,
    double LearningRate,
    double LearningRateMultiplier,
    AdapterParameters? Adapter,
    IReadOnlyDictionary<string, string> Reasons
)
{
    /// <summary>Matrices of a block that an adapter goes beside, by GGUF name: all that learn.</summary>
    public static readonly IReadOnlyList<string> AllTargets =
    [
        "attn_q",
        "attn_k",
        "attn_v",
        "attn_output",
        "ffn_gate",
        "ffn_up",
        "ffn_down",
    ];

    /// <summary>Of English text under a vocabulary of tens of thousands; fewer under a small one.</summary>
    private const double BytesPerToken = 4;

    /// <summary>So few bytes may a token have in a sample that is to fit its row in any case that is usual.</summary>
    private const double BytesPerTokenLeast = 2;

    private const int LeastRowTokens = 128;
    private const int UsualRowTokens = 512;
    private const int MostBatchRows = 8;
    private const int UsualRank = 16;

    /// <summary>Rows of an epoch that make one step: fewer rows a step learn more from little data.</summary>
    private const int StepsPerEpoch = 64;

    /// <summary>Models below it were seen to learn at rates that break larger ones.</summary>
    private const long SmallModelWeights = 100_000_000;

    public static FineTuningChoice Of(FineTuningWish wish, TrainingDataFacts data, ModelRecord model)
    {
        ArgumentNullException.ThrowIfNull(wish);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(model);
        var reasons = new Dictionary<string, string>(StringComparer.Ordinal);
        var rowTokens = wish.RowTokens ?? ChooseRowTokens(data, model, reasons);
        var rows = Math.Max(1, (long)Math.Ceiling(data.TextBytes / BytesPerToken / rowTokens));
        var epochs = wish.Epochs ?? ChooseEpochs(rows, reasons);
        var batch = wish.BatchSize ?? ChooseBatch(rows, reasons);
        var usualRate = UsualRate(wish.Method, model);
        var multiplier = wish.LearningRateMultiplier;
        if (wish.LearningRate is { } asked)
            multiplier = asked / usualRate;
        else if (multiplier is null)
            reasons["learning_rate_multiplier"] =
                $"1 of {Text(usualRate)}, what {Words(wish.Method)} of a model of this size learns well with.";
        return new FineTuningChoice(
            epochs,
            batch,
            rowTokens,
            wish.LearningRate ?? usualRate * (multiplier ?? 1),
            multiplier ?? 1,
            wish.Method == TrainingMethod.Lora ? ChooseAdapter(wish, reasons) : null,
            reasons
        );
    }

    private static AdapterParameters ChooseAdapter(FineTuningWish wish, Dictionary<string, string> reasons)
    {
        if (wish.Rank is null)
            reasons["rank"] = $"{UsualRank} is enough for most tasks.";
        if (wish.Alpha is null)
            reasons["alpha"] = "Twice the rank.";
        if (wish.Targets is null)
            reasons["targets"] = "Every matrix of a block: adapters learn best beside all.";
        var rank = wish.Rank ?? UsualRank;
        return new AdapterParameters(rank, wish.Alpha ?? 2 * rank, [.. wish.Targets ?? AllTargets], wish.FrozenA);
    }

    private static int ChooseRowTokens(TrainingDataFacts data, ModelRecord model, Dictionary<string, string> reasons)
    {
        var longest = (long)Math.Ceiling(data.LongestBytes / BytesPerTokenLeast);
        var wanted = Math.Max(UsualRowTokens, longest);
        long row = LeastRowTokens;
        while (row < wanted)
            row *= 2;
        if (row > model.ContextLength)
        {
            reasons["row_tokens"] = "The model's whole context.";
            return model.ContextLength;
        }
        reasons["row_tokens"] = $"Room for the longest sample, of {data.LongestBytes} bytes.";
        return (int)row;
    }

    private static int ChooseEpochs(long rows, Dictionary<string, string> reasons)
    {
        var epochs = rows switch
        {
            < 100 => 10,
            < 1_000 => 3,
            < 10_000 => 2,
            _ => 1,
        };
        reasons["n_epochs"] = $"For data of about {rows} rows.";
        return epochs;
    }

    private static int ChooseBatch(long rows, Dictionary<string, string> reasons)
    {
        var batch = 1;
        while (batch < MostBatchRows && rows / (batch * 2) >= StepsPerEpoch)
            batch *= 2;
        reasons["batch_size"] = $"About {rows} rows in steps of {batch}.";
        return batch;
    }

    private static double UsualRate(TrainingMethod method, ModelRecord model)
    {
        var isSmall = model.ParameterCount is > 0 and < SmallModelWeights;
        if (method == TrainingMethod.Full)
            return isSmall ? 3e-4 : 2e-5;
        return isSmall ? 1e-3 : 2e-4;
    }

    private static string Words(TrainingMethod method) =>
        method == TrainingMethod.Full ? "all of the weights" : "an adapter";

    private static string Text(double rate) => rate.ToString("0.######", CultureInfo.InvariantCulture);
}
