using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Tests.Models;

internal static class LogProbDistance
{
    /// <summary>Of as many as both surely tell, whatever the order of nearly equal ones.</summary>
    private const int Compared = 10;

    /// <summary>The largest among the ten most likely tokens of the first; infinite where the other tells nothing of one.</summary>
    public static double Difference(this TokenLogProbs first, TokenLogProbs second) =>
        first
            .Top.Take(Compared)
            .Max(token =>
                second.Top.FirstOrDefault(other => other.TokenId == token.TokenId) is { } other
                    ? Math.Abs(token.LogProb - other.LogProb)
                    : double.PositiveInfinity
            );
}
