using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Grains.Training.Policy;

/// <summary>
/// The rounds of a run: what members say, and what follows. A microshard is at any time free, leased to one member for this
/// round, in one contribution to it, or applied; leases end with their round. Who keeps the state lets one of these
/// functions after the other change it, and lets only those speak whose lease is the shard's current one.
/// </summary>
public static partial class RoundMachine
{
    public static RoundState Start(RoundRules rules, string @base, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(rules);
        return new RoundState(
            rules,
            0,
            @base,
            RoundPhase.Open,
            now.AddSeconds(rules.RoundSeconds),
            MicroshardBook.Of(rules.Microshards),
            [],
            [],
            [],
            0
        );
    }

    /// <summary>A member comes, comes again, or comes under a new lease, which takes the place of the one before.</summary>
    public static (RoundState State, RoundReply Reply) Join(RoundState state, int member, int epoch, DateTimeOffset now)
    {
        if (state.IsOver)
            return (state, RoundReply.Over);
        var known = state.Find(member);
        if (known is not null && known.Epoch > epoch)
            return (state, RoundReply.Fenced);
        if (known is null && state.Members.Count == Limits.MembersPerRun)
            return (state, RoundReply.Full);
        if (known is not null && known.Epoch == epoch)
            return (With(state, known with { HeardAt = now }), RoundReply.Accepted);
        var rest = known is null ? state : state with { Book = state.Book.Return(known.Leased) };
        return (With(rest, new RoundMember(member, epoch, now, [])), RoundReply.Accepted);
    }

    /// <summary>
    /// Leases microshards until the member holds <paramref name="total"/>, as far as there are any. Asked again it says the
    /// same again. After the deadline, or its contribution, nobody gets more.
    /// </summary>
    public static (RoundState State, RoundReply Reply, IReadOnlyList<int> Held) Take(
        RoundState state,
        int member,
        int epoch,
        int round,
        int total,
        DateTimeOffset now
    )
    {
        if (Refuse(state, member, epoch, round) is { } reply)
            return (state, reply, []);
        var known = state.Find(member)!;
        var most = Math.Min(total, Microshards.MostPerMember) - known.Leased.Count;
        if (most <= 0 || now >= state.Deadline || state.HasContributed(member))
            return (With(state, known with { HeardAt = now }), RoundReply.Accepted, known.Leased);
        var (rest, taken) = state.Book.Take(most);
        var holding = known with { HeardAt = now, Leased = [.. known.Leased.Concat(taken).Order()] };
        return (With(state with { Book = rest }, holding), RoundReply.Accepted, holding.Leased);
    }

    /// <summary>
    /// A member hands in what it learnt. What it leased and did not finish is free again at once. A repetition of what is in,
    /// or was applied with the round before, is accepted and changes nothing.
    /// </summary>
    public static (RoundState State, RoundReply Reply) Contribute(
        RoundState state,
        RoundContribution contribution,
        int round,
        string @base,
        DateTimeOffset now
    )
    {
        ArgumentNullException.ThrowIfNull(contribution);
        if (state.Contributions.Any(one => one.Delta == contribution.Delta))
            return (state, RoundReply.Accepted);
        if (state.LastApplied.Contains(contribution.Delta))
            return (state, RoundReply.Accepted);
        var (member, epoch) = (contribution.Member, contribution.Epoch);
        if (Refuse(state, member, epoch, round) is { } reply)
            return (state, reply);
        if (@base != state.Base)
            return (state, RoundReply.WrongBase);
        if (state.HasContributed(member))
            return (state, RoundReply.Twice);
        var known = state.Find(member)!;
        var done = contribution.Microshards.ToHashSet();
        if (
            contribution.Tokens < 1
            || done.Count == 0
            || done.Count != contribution.Microshards.Count
            || !done.IsSubsetOf(known.Leased)
        )
            return (state, RoundReply.NotLeased);
        var next = With(state, known with { HeardAt = now, Leased = [] }) with
        {
            Book = state.Book.Return(known.Leased.Where(one => !done.Contains(one))),
            Contributions = [.. state.Contributions.Append(contribution).OrderBy(one => one.Member)],
        };
        return (next, RoundReply.Accepted);
    }

    /// <summary>Why a member may not act in the round it speaks of; null when it may.</summary>
    private static RoundReply? Refuse(RoundState state, int member, int epoch, int round)
    {
        if (state.IsOver)
            return RoundReply.Over;
        if (state.Find(member) is not { } known || known.Epoch < epoch)
            return RoundReply.Unknown;
        if (known.Epoch > epoch)
            return RoundReply.Fenced;
        return round != state.Round || state.Phase != RoundPhase.Open ? RoundReply.Stale : null;
    }

    private static RoundState With(RoundState state, RoundMember member) =>
        state with
        {
            Members = [.. state.Members.Where(one => one.Id != member.Id).Append(member).OrderBy(one => one.Id)],
        };
}
