using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.Mutants;
using EgpuFleet.TestKit.Ledgers;

namespace EgpuFleet.Simulation.Tests;

/// <summary>Each safety taken out in turn: the simulation must turn red, and by the rule that speaks of it.</summary>
public sealed class MutationTests
{
    /// <summary>Many times as many as it takes, so that a change of the world does not turn a good rig red.</summary>
    private const int SeedsTried = 400;

    [Fact]
    public void Without_the_epoch_predicate_a_lost_lease_writes() =>
        AssertRed("J4", ledger => new EpochBlindLedger(ledger));

    [Fact]
    public void Without_the_unique_key_a_repeated_submit_is_another_job() =>
        AssertRed("J9", ledger => new KeylessLedger(ledger));

    [Fact]
    public void Without_the_leader_guard_a_deposed_leader_writes() =>
        AssertRed("J4", ledger => new TermBlindLedger(ledger));

    [Fact]
    public void Without_the_first_result_an_item_changes_its_answer() =>
        AssertRed("J7", ledger => new LastResultLedger(ledger));

    [Fact]
    public void Without_dependencies_a_job_starts_before_its_time() =>
        AssertRed("dependencies", ledger => new RuleBlindLedger(ledger));

    [Fact]
    public void Without_holds_a_held_job_starts() => AssertRed("lifecycle", ledger => new HoldBlindLedger(ledger));

    [Fact]
    public void Without_the_choice_of_devices_a_job_runs_where_it_must_not() =>
        AssertRed("devices", ledger => new ChoiceBlindLedger(ledger));

    private static void AssertRed(string rule, Func<ILedger, ILedger> mutate)
    {
        for (ulong seed = 1; seed <= SeedsTried; seed++)
        {
            var report = SeedRun.Run(seed, mutate);
            if (report.Violations.Any(violation => violation.Rule == rule))
            {
                TestContext.Current.SendDiagnosticMessage($"Seed {seed} is red: {report.Violations[0]}");
                return;
            }
        }
        Assert.Fail($"{SeedsTried} seeds, and {rule} noticed nothing.");
    }
}
