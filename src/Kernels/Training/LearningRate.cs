namespace EgpuFleet.Kernels.Training;

/// <summary>Linear warm-up to a peak, then half a cosine down to a twentieth of it, or no change. Pure.</summary>
/// <param name="Peak">Highest rate.</param>
/// <param name="WarmUpSteps">Steps until the peak.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="IsConstant">Whether it stays at the peak.</param>
public sealed record LearningRate(double Peak, long WarmUpSteps, long TotalSteps, bool IsConstant = false)
{
    private const double FinalShare = 0.05;

    /// <summary>The rate of a step counted from 0.</summary>
    public double At(long step)
    {
        if (step < WarmUpSteps)
            return Peak * (step + 1) / WarmUpSteps;
        if (IsConstant)
            return Peak;
        var progress = (double)(step - WarmUpSteps) / Math.Max(1, TotalSteps - WarmUpSteps);
        return Peak * (FinalShare + ((1 - FinalShare) * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, progress)))));
    }
}
