namespace EgpuFleet.Grains.Jobs;

/// <summary>What a lifecycle says to an event: the state after it, or that it cannot happen there.</summary>
/// <param name="Legal">False: the event does not belong in that state, and nothing changes.</param>
/// <param name="State">The state afterwards; the state before when not legal, or null when there was none.</param>
public readonly record struct Transition<TState>(bool Legal, TState? State)
    where TState : struct
{
    internal static Transition<TState> To(TState state) => new(true, state);

    internal static Transition<TState> Illegal(TState? state) => new(false, state);
}
