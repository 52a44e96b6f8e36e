using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training.Policy;

namespace EgpuFleet.Grains.Tests.Training;

public sealed class RoundMachineTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;
    private static readonly RoundRules Rules = new(100, new OuterRates(), RoundSeconds: 60, SilentSeconds: 200);

    [Fact]
    public void A_member_takes_up_to_what_it_asks_for_and_the_same_again()
    {
        var state = Joined(0, 1);
        (state, _, var first) = RoundMachine.Take(state, 0, 1, 0, 3, Start);
        (state, _, var other) = RoundMachine.Take(state, 1, 1, 0, 2, Start);
        (state, _, var again) = RoundMachine.Take(state, 0, 1, 0, 3, Start);
        (_, _, var more) = RoundMachine.Take(state, 0, 1, 0, 4, Start);

        Assert.Equal([0, 1, 2], first);
        Assert.Equal([3, 4], other);
        Assert.Equal(first, again);
        Assert.Equal([0, 1, 2, 5], more);
    }

    [Fact]
    public void A_round_closes_when_all_are_in()
    {
        var state = Contributed(Joined(0, 1), 0);
        Assert.Equal(RoundPhase.Open, Tick(state, 0, 0, 1).Phase);

        state = Tick(Contributed(state, 1), 0, 0, 1);

        Assert.Equal(RoundPhase.Closing, state.Phase);
        Assert.Equal([0, 1], state.Contributions.Select(one => one.Member));
    }

    [Theory]
    [InlineData(1, RoundPhase.Open)]
    [InlineData(2, RoundPhase.Closing)]
    public void At_the_deadline_half_of_those_that_are_there_are_enough(int contributions, RoundPhase phase)
    {
        var state = Joined(0, 1, 2, 3);
        for (var member = 0; member < contributions; member++)
            state = Contributed(state, member);

        Assert.Equal(RoundPhase.Open, Tick(state, 59, 0, 1, 2, 3).Phase);
        var after = Tick(state, 60, 0, 1, 2, 3);

        Assert.Equal(phase, after.Phase);
        Assert.Equal(Start.AddSeconds(phase == RoundPhase.Open ? 120 : 60), after.Deadline);
    }

    [Fact]
    public void What_a_lost_member_had_is_leased_again_and_what_it_contributed_stays()
    {
        var state = Contributed(Joined(0, 1, 2), 0);
        (state, _, _) = RoundMachine.Take(state, 1, 1, 0, 2, Start);
        state = Tick(state, 1, 2);
        var (_, _, taken) = RoundMachine.Take(state, 2, 1, 0, 2, Start);

        Assert.Equal([2], state.Members.Select(member => member.Id));
        Assert.Equal([1, 2], taken);
        Assert.Equal(0, Assert.Single(state.Contributions).Member);
    }

    [Fact]
    public void Who_says_nothing_for_long_is_not_waited_for()
    {
        var state = Contributed(Joined(0, 1, 2, 3), 0);
        foreach (var member in new[] { 1, 2, 3 })
            (state, _, _) = RoundMachine.Take(state, member, 1, 0, 1, Start);
        state = RoundMachine.Join(state, 0, 1, Start.AddSeconds(150)).State;

        Assert.Equal(RoundPhase.Open, Tick(state, 199, 0, 1, 2, 3).Phase);
        Assert.Equal(RoundPhase.Closing, Tick(state, 201, 0, 1, 2, 3).Phase);
    }

    [Fact]
    public void A_member_is_told_why_not()
    {
        var state = RoundMachine.Join(Joined(0), 1, 2, Start).State;
        (state, _, _) = RoundMachine.Take(state, 1, 2, 0, 2, Start);

        Assert.Equal(RoundReply.Fenced, RoundMachine.Join(state, 1, 1, Start).Reply);
        Assert.Equal(RoundReply.Fenced, RoundMachine.Take(state, 1, 1, 0, 1, Start).Reply);
        Assert.Equal(RoundReply.Unknown, RoundMachine.Take(state, 5, 1, 0, 1, Start).Reply);
        Assert.Equal(RoundReply.Stale, RoundMachine.Take(state, 1, 2, 1, 1, Start).Reply);
        Assert.Equal(RoundReply.WrongBase, Reply(state, Of(1, 2, [0]), "other"));
        Assert.Equal(RoundReply.NotLeased, Reply(state, Of(1, 2, [7])));
        Assert.Equal(RoundReply.NotLeased, Reply(state, Of(1, 2, [0, 0])));
        Assert.Equal(RoundReply.NotLeased, Reply(state, Of(1, 2, [])));
        Assert.Equal(RoundReply.NotLeased, Reply(state, Of(1, 2, [0]) with { Tokens = 0 }));
        Assert.Equal(RoundReply.Accepted, Reply(state, Of(1, 2, [0, 1])));
        state = RoundMachine.Contribute(state, Of(1, 2, [0]), 0, "base", Start).State;
        Assert.Equal(RoundReply.Accepted, Reply(state, Of(1, 2, [0])));
        Assert.Equal(RoundReply.Twice, Reply(state, Of(1, 2, [1]) with { Delta = "another" }));
        Assert.Equal([1], state.Book.Returned);
    }

    [Fact]
    public void A_contribution_that_is_repeated_after_its_round_is_accepted_and_not_applied_again()
    {
        var state = Tick(Contributed(Joined(0), 0), 0, 0);
        (state, var applied) = RoundMachine.Close(state, new HashSet<string>(), "next", Start);
        var (same, reply) = RoundMachine.Contribute(state, Of(0, 1, [0]), 0, "base", Start);

        Assert.Equal([0], applied);
        Assert.Equal(RoundReply.Accepted, reply);
        Assert.Same(state, same);
        Assert.Equal(RoundReply.Stale, Reply(state, Of(0, 1, [1]) with { Delta = "late" }));
        Assert.Equal((1, "next", RoundPhase.Open), (state.Round, state.Base, state.Phase));
    }

    [Fact]
    public void Rounds_with_nothing_to_apply_end_the_run()
    {
        var state = Joined(0);
        for (var round = 0; round < Rules.BarrenRounds; round++)
        {
            Assert.Equal(RoundPhase.Open, state.Phase);
            (state, _, var held) = RoundMachine.Take(state, 0, 1, round, 1, Start);
            Assert.Equal([0], held);
            var bad = Of(0, 1, held) with { Delta = $"bad {round}" };
            state = Tick(RoundMachine.Contribute(state, bad, round, "base", Start).State, 0, 0);
            (state, var applied) = RoundMachine.Close(state, new HashSet<string> { bad.Delta }, "base", Start);
            Assert.Empty(applied);
        }
        Assert.Equal(RoundPhase.Failed, state.Phase);
        Assert.Equal(RoundReply.Over, RoundMachine.Join(state, 0, 1, Start).Reply);
    }

    [Fact]
    public void Only_a_round_that_is_closing_is_closed() =>
        Assert.Throws<InvalidOperationException>(() =>
            RoundMachine.Close(Joined(0), new HashSet<string>(), "next", Start)
        );

    private static RoundState Joined(params int[] members) =>
        members.Aggregate(
            RoundMachine.Start(Rules, "base", Start),
            (state, member) => RoundMachine.Join(state, member, 1, Start).State
        );

    private static RoundState Contributed(RoundState state, int member)
    {
        (state, _, var held) = RoundMachine.Take(state, member, 1, 0, 1, Start);
        return RoundMachine.Contribute(state, Of(member, 1, held), 0, "base", Start).State;
    }

    private static RoundContribution Of(int member, int epoch, IReadOnlyList<int> done) =>
        new(member, epoch, $"{member}/{epoch}", DeltaEncoding.F32, 100, done);

    private static RoundReply Reply(RoundState state, RoundContribution contribution, string @base = "base") =>
        RoundMachine.Contribute(state, contribution, 0, @base, Start).Reply;

    private static RoundState Tick(RoundState state, double seconds, params int[] live) =>
        RoundMachine.Tick(state, live.Select(member => (member, 1)).ToHashSet(), Start.AddSeconds(seconds));
}
