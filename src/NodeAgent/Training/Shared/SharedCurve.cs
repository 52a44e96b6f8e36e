using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.NodeAgent.Training.Shared;

/// <summary>
/// The curve of a shared run: a step of it is a round. One member tells it; who takes its place tells what may be missing,
/// and of a step that was told the first figures are kept.
/// </summary>
internal sealed class SharedCurve(
    TrainingPlan plan,
    SharedPlan shared,
    int microshards,
    NoteOutbox notes,
    TimeProvider time
)
{
    private int told;
    private (long At, long Tokens)? before;

    /// <summary>Tells all rounds before this one.</summary>
    /// <param name="validLoss">Of the base that this round starts from; null: nobody looked.</param>
    public void Tell(RoundNow round, double? validLoss)
    {
        foreach (var one in round.Figures.Where(one => one.Round + 1 > told))
        {
            var isLast = one == round.Figures[^1];
            var figures = new Dictionary<string, double>(StringComparer.Ordinal)
            {
                ["train_loss"] = one.Loss,
                ["learning_rate"] = plan.RateAt(shared.Place(round, 0)),
                ["tokens"] = one.TrainedTokens,
                ["members"] = one.Members,
                ["total_steps"] = SharedPlan.Rounds(round, one, microshards),
            };
            if (isLast && validLoss is { } loss)
                figures["valid_loss"] = loss;
            if (isLast && Pace(one.TrainedTokens) is { } pace)
                figures["tokens_per_second"] = pace;
            notes.Tell(one.Round + 1, figures);
            if (one.Dropped > 0)
                notes.Warn(one.Round + 1, $"{one.Dropped} of the contributions to round {one.Round} were dropped.");
            told = one.Round + 1;
        }
    }

    private double? Pace(long tokens)
    {
        var (now, last) = (time.GetTimestamp(), before);
        before = (now, tokens);
        return last is { } then && time.GetElapsedTime(then.At, now).TotalSeconds is > 0 and var seconds
            ? (tokens - then.Tokens) / seconds
            : null;
    }
}
