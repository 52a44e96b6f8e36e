namespace EgpuFleet.Grains.Interfaces.Training;

/// <summary>Where the current round of a data parallel run is. Stored as its number: append, never renumber.</summary>
public enum RoundPhase
{
    /// <summary>Members train and contribute.</summary>
    Open = 0,

    /// <summary>What is in is fixed; the next state is a function of it alone, whoever computes it.</summary>
    Closing = 1,

    /// <summary>Every microshard is applied.</summary>
    Finished = 2,

    /// <summary>Several rounds in a row had nothing that could be applied.</summary>
    Failed = 3,
}

/// <summary>What a member of a data parallel run is told.</summary>
public enum RoundReply
{
    Accepted,

    /// <summary>The round it speaks of is over, or closing: it goes on from the next one's base.</summary>
    Stale,

    /// <summary>Another lease of the same shard has taken part since.</summary>
    Fenced,

    /// <summary>It has to join first.</summary>
    Unknown,

    /// <summary>The difference is not one from this round's base.</summary>
    WrongBase,

    /// <summary>A round takes one contribution of a member.</summary>
    Twice,

    /// <summary>It names a microshard that is not leased to it, none, or no tokens.</summary>
    NotLeased,

    /// <summary>There is room for no other member.</summary>
    Full,

    /// <summary>The run is finished or has failed.</summary>
    Over,

    /// <summary>Nobody has begun the run yet.</summary>
    NotBegun,

    /// <summary>The tensors are not those of the run, or what was said of them is not so.</summary>
    Invalid,
}
