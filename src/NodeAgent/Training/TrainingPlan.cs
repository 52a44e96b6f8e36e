using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>What a run does at which step. Pure; the same on every device and after every restart.</summary>
/// <param name="totalSteps">Of the whole run, at least 1.</param>
internal sealed class TrainingPlan(OptimizerParameters optimizer, long totalSteps, int evaluateEverySteps)
{
    private readonly LearningRate rate = new(
        optimizer.PeakRate,
        (long)Math.Round(optimizer.WarmUpShare * totalSteps),
        totalSteps,
        optimizer.Schedule == RateSchedule.Constant
    );
    private readonly long noteEvery = Math.Max(1, totalSteps / Limits.MetricNotes);

    public long TotalSteps => totalSteps;

    /// <summary>Of how many steps a run consists.</summary>
    /// <param name="rows">Of all its epochs.</param>
    /// <param name="maxSteps">0: all of them.</param>
    public static long StepsOf(long rows, int batchRows, long maxSteps)
    {
        var all = Math.Max(1, (rows + batchRows - 1) / batchRows);
        return maxSteps > 0 ? Math.Min(all, maxSteps) : all;
    }

    /// <summary>The learning rate of a step, counted from 0.</summary>
    public double RateAt(long step) => rate.At(step);

    /// <summary>Whether figures are told after so many steps: a run of any length tells a curve that can be drawn.</summary>
    public bool NotesAfter(long steps) => steps == 1 || steps == totalSteps || steps % noteEvery == 0;

    /// <summary>Whether the validation data is looked at after so many steps.</summary>
    public bool EvaluatesAfter(long steps) => steps == totalSteps || steps % evaluateEverySteps == 0;
}
