using System.Collections.Immutable;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>
/// The restart plan, pure. A worker that dies is started again after a wait that doubles with each death of the last minute;
/// at the fifth the device is quarantined, so that nothing restarts in a crash loop. A quarantine is over by itself, because
/// it may have been the work that killed the workers and not the device; one more death within a minute brings it back. An
/// event that does not belong to a phase changes nothing: it was overtaken.
/// </summary>
public static class WorkerLifecycle
{
    public static WorkerLife Apply(WorkerLife life, WorkerEvent happened)
    {
        ArgumentNullException.ThrowIfNull(life);
        return (life.Phase, happened) switch
        {
            (WorkerPhase.Stopped, _) => life,
            (_, WorkerEvent.StopAsked) => life with { Phase = WorkerPhase.Stopped },
            (WorkerPhase.Starting, WorkerEvent.Connected) => life with { Phase = WorkerPhase.Testing },
            (WorkerPhase.Testing, WorkerEvent.Tested) => life with
            {
                Phase = WorkerPhase.Ready,
                Reason = null,
                Trouble = null,
            },
            (WorkerPhase.Starting or WorkerPhase.Testing or WorkerPhase.Ready, WorkerEvent.Died died) => Bury(
                life,
                died
            ),
            (WorkerPhase.Waiting or WorkerPhase.Quarantined, WorkerEvent.Waited) => life with
            {
                Phase = WorkerPhase.Starting,
            },
            _ => life,
        };
    }

    private static WorkerLife Bury(WorkerLife life, WorkerEvent.Died died)
    {
        var recent = life.Deaths.Where(at => died.At - at < Limits.DeathWindow).Append(died.At).ToImmutableArray();
        if (recent.Length >= Limits.DeathsToQuarantine)
        {
            var over = died.At + Limits.QuarantineFor;
            // They count as if they had happened at its end.
            var probation = Enumerable.Repeat(over, Limits.DeathsToQuarantine - 1).ToImmutableArray();
            var advice = Advice(recent.Length, died.Reason);
            return new(WorkerPhase.Quarantined, probation, advice, over) { Trouble = TroubleOf(life, died) };
        }
        var wait = Limits.RestartAfter * Math.Pow(2, recent.Length - 1);
        return new(WorkerPhase.Waiting, recent, died.Reason, died.At + wait) { Trouble = TroubleOf(life, died) };
    }

    /// <summary>The same trouble again is still the one from before.</summary>
    private static WorkerTrouble? TroubleOf(WorkerLife life, WorkerEvent.Died died) =>
        life.Trouble is { } known && known.Death.Id == died.Trouble?.Death.Id
            ? died.Trouble with
            {
                Since = known.Since,
            }
            : died.Trouble;

    private static string Advice(int deaths, string reason) =>
        $"The worker died {deaths} times within {Limits.DeathWindow.TotalSeconds:0} s, last: {reason} "
        + "Fix what it names (the worker's log is in the agent's data folder), then restart the agent; "
        + $"it is tried again by itself after {Limits.QuarantineFor.TotalMinutes:0} min.";
}
