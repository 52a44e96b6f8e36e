using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.Checkers.Tests;

/// <summary>The checkers are checked: silent on a good run, and each broken promise turns its own rule red.</summary>
public sealed class CheckerTests
{
    public static TheoryData<string> BadRuns => new(BadRun.All.Select(run => run.Name));

    [Fact]
    public void A_good_run_breaks_no_rule() => Assert.Empty(AllCheckers.Check(GoodRun.History, GoodRun.Ledger));

    [Fact]
    public void Nothing_at_all_breaks_no_rule() => Assert.Empty(AllCheckers.Check(History.Empty, FinalLedger.Empty));

    [Theory]
    [MemberData(nameof(BadRuns))]
    public void A_broken_promise_is_noticed(string name)
    {
        var run = BadRun.All.Single(run => run.Name == name);

        var violations = AllCheckers.ByRule[run.Rule](run.History, run.Ledger);

        Assert.NotEmpty(violations);
        Assert.All(violations, violation => Assert.Equal(run.Rule, violation.Rule));
    }

    [Fact]
    public void A_job_whose_dependency_failed_is_cancelled_without_anyone_asking() =>
        Assert.Empty(AllCheckers.Check(GoodRun.History with { Cancels = [] }, BadRun.Needing("b", "c")));

    [Fact]
    public void Every_rule_has_a_bad_run() =>
        Assert.Equal(AllCheckers.ByRule.Keys.Order(), BadRun.All.Select(run => run.Rule).Distinct().Order());

    [Fact]
    public void Unanswered_submits_without_a_key_explain_as_many_jobs_as_there_were()
    {
        var history = History.Empty with { Submits = [new SubmitCall("t", null, null, CallOutcome.Indeterminate)] };
        var one = FinalLedger.Empty with { Jobs = [new FinalJob("a", "t", null, JobPhase.Failed, 1)] };
        var two = one with { Jobs = [.. one.Jobs, new FinalJob("b", "t", null, JobPhase.Failed, 1)] };

        Assert.Empty(SubmitRules.NothingFromNowhere(history, one));
        Assert.Single(SubmitRules.NothingFromNowhere(history, two));
    }

    [Fact]
    public void A_paused_job_gives_its_slots_back()
    {
        var ledger = FinalLedger.Empty with
        {
            Writes =
            [
                new AcceptedWrite(WriteKind.ShardStarted, "a", 0, 1, "p"),
                new AcceptedWrite(WriteKind.JobPaused, "a"),
                new AcceptedWrite(WriteKind.ShardStarted, "b", 0, 1, "p"),
                new AcceptedWrite(WriteKind.ShardStarted, "a", 0, 2, "q"),
            ],
            Capacity = new Dictionary<string, int>(StringComparer.Ordinal) { ["p"] = 1, ["q"] = 1 },
        };

        Assert.Empty(CapacityRules.NeverExceeded(History.Empty, ledger));
        Assert.Empty(EpochRules.WritesCarryTheCurrentEpoch(History.Empty, ledger));
    }
}
