namespace EgpuFleet.Grains.Interfaces.Training;

/// <summary>Whether the terms of a run are ones that it can have.</summary>
public static class RoundTermsRules
{
    /// <summary>A round must leave time to fetch weights and to train one microshard.</summary>
    private const double ShortestRoundSeconds = 1;

    /// <summary>What is lost with a member is at most a round of its work.</summary>
    private const double LongestRoundSeconds = 3600;

    /// <summary>Of all epochs together: bounds what a round is looked up in.</summary>
    private const int MostMicroshards = 10_000_000;

    /// <summary>What is wrong, in words; null when nothing is.</summary>
    public static string? Fault(RoundTerms terms)
    {
        ArgumentNullException.ThrowIfNull(terms);
        if (terms.Data is not { Samples: > 0, Epochs: > 0, Size: > 0 and <= Microshards.LargestSize } data)
            return $"A run has samples, epochs, and microshards of 1 to {Microshards.LargestSize} samples.";
        if ((((long)data.Samples + data.Size - 1) / data.Size) * data.Epochs > MostMicroshards)
            return $"A run has at most {MostMicroshards} microshards.";
        if (!(terms.OuterRate is > 0 and <= 2 && terms.OuterMomentum is >= 0 and < 1))
            return "The outer rate is above 0 and at most 2, its momentum from 0 to below 1.";
        return terms.RoundSeconds is >= ShortestRoundSeconds and <= LongestRoundSeconds
            ? null
            : $"A round takes {ShortestRoundSeconds} to {LongestRoundSeconds} seconds.";
    }
}
