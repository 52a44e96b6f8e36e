using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Grains.Training.Policy;

/// <summary>How a round ends.</summary>
public static partial class RoundMachine
{
    /// <summary>
    /// Looks at the time and at who is there. The leases of members that are gone are free again; what they contributed
    /// stays. A round is closed when all that can contribute have, or at its deadline when half of those that are there
    /// have; a round without that goes on for as long again.
    /// </summary>
    /// <param name="live">Shards of the job that are leased now, with the epochs of their leases.</param>
    public static RoundState Tick(RoundState state, IReadOnlySet<(int Member, int Epoch)> live, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(live);
        if (state.Phase != RoundPhase.Open)
            return state;
        var gone = state.Members.Where(member => !live.Contains((member.Id, member.Epoch))).ToArray();
        if (gone.Length > 0)
        {
            state = state with
            {
                Book = state.Book.Return(gone.SelectMany(member => member.Leased)),
                Members = [.. state.Members.Except(gone)],
            };
        }
        var silent = TimeSpan.FromSeconds(state.Rules.SilentSeconds);
        var alive = state.Members.Where(member => now - member.HeardAt <= silent).ToArray();
        var isAllIn = alive.All(member =>
            state.HasContributed(member.Id) || (member.Leased.Count == 0 && !state.Book.HasFree)
        );
        var quorum = (alive.Length + 1) / 2;
        if (
            state.Contributions.Count > 0
            && (isAllIn || (now >= state.Deadline && state.Contributions.Count >= quorum))
        )
            return Seal(state);
        return now >= state.Deadline ? state with { Deadline = now.AddSeconds(state.Rules.RoundSeconds) } : state;
    }

    /// <summary>The round that was closing is over: the next one begins, from a new base, or the run ends.</summary>
    /// <param name="dropped">Deltas that were not applied; their microshards are free again.</param>
    /// <param name="base">Content hash of the weights that came out of it.</param>
    /// <returns>The microshards that were applied with it.</returns>
    public static (RoundState State, IReadOnlyList<int> Applied) Close(
        RoundState state,
        IReadOnlySet<string> dropped,
        string @base,
        DateTimeOffset now
    )
    {
        ArgumentNullException.ThrowIfNull(dropped);
        if (state.Phase != RoundPhase.Closing)
            throw new InvalidOperationException($"Round {state.Round} is {state.Phase}, not closing.");
        var lost = state.Contributions.Where(one => dropped.Contains(one.Delta));
        var kept = state.Contributions.Where(one => !dropped.Contains(one.Delta)).ToArray();
        var book = state.Book.Return(lost.SelectMany(one => one.Microshards));
        var barren = kept.Length == 0 ? state.Barren + 1 : 0;
        var phase =
            barren >= state.Rules.BarrenRounds ? RoundPhase.Failed
            : book.HasFree ? RoundPhase.Open
            : RoundPhase.Finished;
        var next = state with
        {
            Round = state.Round + 1,
            Base = @base,
            Phase = phase,
            Deadline = now.AddSeconds(state.Rules.RoundSeconds),
            Book = book,
            Contributions = [],
            LastApplied = [.. kept.Select(one => one.Delta)],
            Barren = barren,
        };
        return (next, [.. kept.SelectMany(one => one.Microshards).Order()]);
    }

    /// <summary>Nobody's work is accepted any more; what is still leased is free for the next round.</summary>
    private static RoundState Seal(RoundState state) =>
        state with
        {
            Phase = RoundPhase.Closing,
            Book = state.Book.Return(state.Members.SelectMany(member => member.Leased)),
            Members = [.. state.Members.Select(member => member with { Leased = [] })],
        };
}
