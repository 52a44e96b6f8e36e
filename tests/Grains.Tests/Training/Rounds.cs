using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training.Policy;

namespace EgpuFleet.Grains.Tests.Training;

/// <summary>The steps of a run's rounds, so that a test of them can be shown broken ones.</summary>
internal sealed record Rounds(
    Func<RoundState, int, int, DateTimeOffset, RoundState> Join,
    Func<RoundState, int, int, int, int, DateTimeOffset, RoundState> Take,
    Func<RoundState, RoundContribution, int, string, DateTimeOffset, RoundState> Contribute,
    Func<RoundState, IReadOnlySet<(int, int)>, DateTimeOffset, RoundState> Tick,
    Func<RoundState, IReadOnlySet<string>, string, DateTimeOffset, (RoundState State, IReadOnlyList<int> Applied)> Close
)
{
    public static readonly Rounds Real = new(
        (state, member, epoch, now) => RoundMachine.Join(state, member, epoch, now).State,
        (state, member, epoch, round, total, now) => RoundMachine.Take(state, member, epoch, round, total, now).State,
        (state, contribution, round, @base, now) =>
            RoundMachine.Contribute(state, contribution, round, @base, now).State,
        RoundMachine.Tick,
        RoundMachine.Close
    );

    /// <summary>Each with one guard taken out.</summary>
    public static IReadOnlyDictionary<string, Rounds> Broken { get; } =
        new Dictionary<string, Rounds>(StringComparer.Ordinal)
        {
            ["a late contribution counts in the round after"] = Real with
            {
                Contribute = (state, contribution, _, _, now) =>
                    Real.Contribute(state, contribution, state.Round, state.Base, now),
            },
            ["any microshard is taken"] = Real with
            {
                Contribute = (state, contribution, _, _, _) =>
                    state.Phase == RoundPhase.Open
                        ? state with
                        {
                            Contributions = [.. state.Contributions.Append(contribution)],
                        }
                        : state,
            },
            ["what a lost member had is forgotten"] = Real with
            {
                Tick = (state, live, now) =>
                    Real.Tick(
                        state with
                        {
                            Members = [.. state.Members.Where(m => live.Contains((m.Id, m.Epoch)))],
                        },
                        live,
                        now
                    ),
            },
            ["what was dropped is not free again"] = Real with
            {
                Close = (state, dropped, @base, now) =>
                {
                    var kept = state.Contributions.Where(one => !dropped.Contains(one.Delta));
                    return Real.Close(state with { Contributions = [.. kept] }, new HashSet<string>(), @base, now);
                },
            },
            ["what was dropped is applied"] = Real with
            {
                Close = (state, dropped, @base, now) =>
                {
                    var (next, applied) = Real.Close(state, dropped, @base, now);
                    var lost = state.Contributions.Where(one => dropped.Contains(one.Delta));
                    return (next, [.. applied, .. lost.SelectMany(one => one.Microshards)]);
                },
            },
            ["a new lease goes on with what the one before had"] = Real with
            {
                Join = (state, member, epoch, now) =>
                    state.Find(member) is { } known && known.Epoch < epoch
                        ? Real.Join(
                            state with
                            {
                                Members = [.. state.Members.Where(one => one.Id != member)],
                            },
                            member,
                            epoch,
                            now
                        )
                        : Real.Join(state, member, epoch, now),
            },
        };
}
