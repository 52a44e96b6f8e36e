using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.NodeAgent.Training.Shared;

/// <summary>What a member does of a round, and where in its schedule the run is then. Pure.</summary>
/// <param name="steps">Of the whole run, as one device would make them.</param>
/// <param name="microshards">Of the whole run.</param>
internal sealed class SharedPlan(DataParallelParameters shared, long steps, int microshards, int evaluateEverySteps)
{
    private readonly int usual = (int)
        Math.Clamp(Math.Round(shared.Steps * (double)microshards / steps), 1, Microshards.MostPerMember);

    /// <summary>Microshards that the member should hold: those of its steps, and no more than its part of what is left.</summary>
    public int Share(RoundNow round)
    {
        var members = Math.Max(round.Members.Count, 1);
        var part = (round.Free + round.Held.Count + members - 1) / members;
        return Math.Max(Math.Min(usual, part), 1);
    }

    /// <summary>The step of the schedule at which a member makes its next one: all members make theirs at the same time.</summary>
    /// <param name="done">Steps of the member in this round.</param>
    public long Place(RoundNow round, long done) =>
        Math.Min(Steps(round.Applied) + (done * Math.Max(round.Members.Count, 1)), steps - 1);

    /// <summary>Whether the base of the round is to be looked at: so many steps have passed since the last one that was.</summary>
    public bool Evaluates(RoundNow round)
    {
        if (round.Figures.Count == 0)
            return false;
        var before = round.Applied - round.Figures[^1].Microshards;
        return round.Phase == RoundPhase.Finished
            || Steps(round.Applied) / evaluateEverySteps > Steps(before) / evaluateEverySteps;
    }

    /// <summary>Rounds that the run has in all, as far as the last one is like those that come.</summary>
    public static long Rounds(RoundNow round, RoundFigures last, int microshards)
    {
        var left = microshards - round.Applied;
        return round.Round + ((left + last.Microshards - 1) / Math.Max(last.Microshards, 1));
    }

    private long Steps(int applied) => applied * steps / microshards;
}
