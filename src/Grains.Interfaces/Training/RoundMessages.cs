using System.Text.Json.Serialization;
using EgpuFleet.Grains.Interfaces.Checkpoints;

namespace EgpuFleet.Grains.Interfaces.Training;

/// <summary>What all members of a data parallel run agree on.</summary>
/// <param name="Data">How its samples are cut.</param>
/// <param name="OuterRate">
/// Of the outer optimizer; 1 with no momentum is the mean of the members, and with one member plain training. OpenDiLoCo's 0.7
/// and 0.9 need more rounds than a fine-tuning run has.
/// </param>
/// <param name="RoundSeconds">From the opening of a round to its deadline.</param>
public sealed record RoundTerms(
    Microshards Data,
    double OuterRate = 1,
    double OuterMomentum = 0,
    double RoundSeconds = 60
);

/// <summary>POST body of <c>/begin</c>: the weights that a run starts from, as an open checkpoint with all its chunks stored.</summary>
/// <param name="Job">Text form of a <see cref="JobId"/>.</param>
/// <param name="Weights">32-bit floats under their names, in chunks of the smallest size.</param>
public sealed record RoundBeginning(
    string Job,
    int Shard,
    int Epoch,
    RoundTerms Terms,
    string Checkpoint,
    Manifest Weights
);

/// <summary>POST body of <c>/join</c>: whoever holds this lease takes part.</summary>
public sealed record RoundJoining(string Job, int Shard, int Epoch);

/// <summary>POST body of <c>/take</c>: microshards, until the member holds so many.</summary>
public sealed record RoundTaking(string Job, int Shard, int Epoch, int Round, int Total);

/// <summary>POST body of <c>/contribute</c>: the difference base - theirs, as an open checkpoint with all its chunks stored.</summary>
/// <param name="Base">Of the round; see <see cref="RoundNow.Base"/>.</param>
/// <param name="Tokens">Trained tokens.</param>
/// <param name="Microshards">Gone through, whole.</param>
/// <param name="Loss">Mean of the trained tokens, as they were learnt.</param>
public sealed record RoundContributing(
    string Job,
    int Shard,
    int Epoch,
    int Round,
    string Base,
    string Checkpoint,
    DeltaEncoding Encoding,
    Manifest Delta,
    long Tokens,
    IReadOnlyList<int> Microshards,
    double Loss = 0
);

/// <summary>Answer to each of them, and to <c>GET /next</c>: the round as it is now.</summary>
/// <param name="Base">Content hash of the weights that the round starts from.</param>
/// <param name="Checkpoint">Which holds them; <c>GET /weights</c> and <c>/manifest</c> of it leave the outer velocity out.</param>
/// <param name="SecondsLeft">To the deadline; not below 0.</param>
/// <param name="Held">Microshards leased to the member.</param>
/// <param name="HasFree">Whether it could take more.</param>
/// <param name="Free">Microshards that nobody has.</param>
/// <param name="Applied">Microshards that are in the base.</param>
/// <param name="Members">Numbers of those that take part, in ascending order.</param>
/// <param name="Figures">Of the last rounds that changed the base, in their order.</param>
public sealed record RoundNow(
    int Round,
    RoundPhase Phase,
    string Base,
    string Checkpoint,
    double SecondsLeft,
    IReadOnlyList<int> Held,
    bool HasFree,
    RoundTerms Terms,
    int Free,
    int Applied,
    IReadOnlyList<int> Members,
    IReadOnlyList<RoundFigures> Figures
)
{
    [JsonIgnore]
    public bool IsOver => Phase is RoundPhase.Finished or RoundPhase.Failed;
}

/// <summary>A round that is over.</summary>
/// <param name="Tokens">Trained in it.</param>
/// <param name="TrainedTokens">In it and all before it.</param>
/// <param name="Loss">Mean of its trained tokens.</param>
/// <param name="Members">Whose contributions were applied.</param>
/// <param name="Dropped">Contributions that were not.</param>
public sealed record RoundFigures(
    int Round,
    long Tokens,
    long TrainedTokens,
    double Loss,
    int Members,
    int Dropped,
    int Microshards
);
