namespace EgpuFleet.TestKit.Checkers;

/// <summary>A rule over what was seen and what is stored; it knows nothing of how the system works.</summary>
public delegate IEnumerable<Violation> Checker(History history, FinalLedger ledger);

/// <summary>All rules. Each is a pure function; an empty answer means that the rule held.</summary>
public static class AllCheckers
{
    public static IReadOnlyDictionary<string, Checker> ByRule { get; } =
        new Dictionary<string, Checker>(StringComparer.Ordinal)
        {
            ["J1"] = SubmitRules.AcknowledgedSubmitsEnd,
            ["J2"] = SubmitRules.NothingFromNowhere,
            ["J3"] = EndRules.OneEndPerJob,
            ["J4"] = EpochRules.WritesCarryTheCurrentEpoch,
            ["J5"] = EpochRules.EpochsGrow,
            ["J6"] = EndRules.ProgressNeverGoesBack,
            ["J7"] = ResultRules.OneResultPerItem,
            ["J8"] = CapacityRules.NeverExceeded,
            ["J9"] = SubmitRules.SameKeySameJob,
            ["J10"] = EndRules.CancelOrFinish,
            ["J11"] = EndRules.DrainsInBoundedTime,
        };

    /// <summary>The broken promises of a run, at most <paramref name="mostPerRule"/> of each rule.</summary>
    public static IReadOnlyList<Violation> Check(History history, FinalLedger ledger, int mostPerRule = 5) =>
        [.. ByRule.OrderBy(rule => rule.Key.Length).SelectMany(rule => rule.Value(history, ledger).Take(mostPerRule))];
}
