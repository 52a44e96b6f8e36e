using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Grains.Training.Policy;

/// <summary>How a run goes about its rounds.</summary>
/// <param name="Microshards">Of all epochs together.</param>
/// <param name="RoundSeconds">From the opening of a round to its deadline.</param>
/// <param name="SilentSeconds">A member that said nothing for so long is not waited for.</param>
/// <param name="BarrenRounds">Rounds in a row without anything to apply after which the run has failed.</param>
public sealed record RoundRules(
    int Microshards,
    OuterRates Rates,
    double RoundSeconds = 60,
    double SilentSeconds = 240,
    int BarrenRounds = 3
);

/// <summary>A device that takes part: a shard of the job under one of its leases.</summary>
/// <param name="Id">Number of the shard.</param>
/// <param name="Epoch">Of its lease.</param>
/// <param name="Leased">Microshards it works on in this round.</param>
public sealed record RoundMember(int Id, int Epoch, DateTimeOffset HeardAt, IReadOnlyList<int> Leased);

/// <summary>What a member has learnt in a round.</summary>
/// <param name="Delta">Names the difference theirs - base, once for all.</param>
/// <param name="Encoding">How that is written.</param>
/// <param name="Tokens">Trained tokens it was learnt from: its weight.</param>
/// <param name="Microshards">Which ones it went through, whole.</param>
/// <param name="Loss">Mean of its trained tokens.</param>
public sealed record RoundContribution(
    int Member,
    int Epoch,
    string Delta,
    DeltaEncoding Encoding,
    long Tokens,
    IReadOnlyList<int> Microshards,
    double Loss = 0
);

/// <summary>The outer state of a run, without its tensors.</summary>
/// <param name="Round">From 0.</param>
/// <param name="Base">Content hash of the weights that this round starts from.</param>
/// <param name="Members">In ascending order of their ids.</param>
/// <param name="Contributions">In the same order.</param>
/// <param name="LastApplied">Deltas that the round before applied: their repetition is no news.</param>
/// <param name="Barren">Rounds in a row, by now, without anything to apply.</param>
public sealed record RoundState(
    RoundRules Rules,
    int Round,
    string Base,
    RoundPhase Phase,
    DateTimeOffset Deadline,
    MicroshardBook Book,
    IReadOnlyList<RoundMember> Members,
    IReadOnlyList<RoundContribution> Contributions,
    IReadOnlyList<string> LastApplied,
    int Barren
)
{
    public bool IsOver => Phase is RoundPhase.Finished or RoundPhase.Failed;

    /// <summary>Microshards that are in the base: what is neither free, nor out, nor waiting for the outer step.</summary>
    public int Applied =>
        Book.Next
        - Book.Returned.Count
        - Members.Sum(member => member.Leased.Count)
        - Contributions.Sum(one => one.Microshards.Count);

    public RoundMember? Find(int member) => Members.FirstOrDefault(one => one.Id == member);

    public bool HasContributed(int member) => Contributions.Any(one => one.Member == member);
}
