using System.Collections.Immutable;
using EgpuFleet.Kernels.Drivers.Failures;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>
/// The restart plan, pure. A worker that dies is started again after a wait that doubles with each death of the last minute;
/// at the fifth the device is quarantined, so that nothing restarts in a crash loop. It rests at once where its last words
/// name a failure that another start does not mend, and when it hung twice in a row. A quarantine is over by itself, because
/// it may have been the work that killed the workers and not the device, unless only a power cycle or another machine helps;
/// what comes after it passes the self-test first, as every new worker does. An event that does not belong to a phase changes
/// nothing: it was overtaken.
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
            (_, WorkerEvent.HeldBack held) => new(WorkerPhase.Held, [], held.Hold.Reason, TimeSpan.Zero)
            {
                Hold = held.Hold,
                Unusable = life.Phase == WorkerPhase.Unusable ? life : life.Unusable,
            },
            (WorkerPhase.Held, WorkerEvent.Released) => life.Unusable ?? WorkerLife.New,
            (WorkerPhase.Waiting or WorkerPhase.Quarantined, WorkerEvent.Cleared) => WorkerLife.New,
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
        var trouble = TroubleOf(life, died);
        var lastHang = died.Trouble is { IsHang: true } ? died.At : life.LastHang;
        if (RestAfter(life, died) is { } rest)
        {
            var over = rest == TimeSpan.MaxValue ? rest : died.At + rest;
            return new(WorkerPhase.Quarantined, recent, Advice(died, rest), over)
            {
                Trouble = trouble,
                LastHang = lastHang,
            };
        }
        if (recent.Length >= Limits.DeathsToQuarantine)
        {
            var over = died.At + Limits.QuarantineFor;
            // They count as if they had happened at its end.
            var probation = Enumerable.Repeat(over, Limits.DeathsToQuarantine - 1).ToImmutableArray();
            return new(WorkerPhase.Quarantined, probation, Advice(recent.Length, died.Reason), over)
            {
                Trouble = trouble,
                LastHang = lastHang,
            };
        }
        var wait = Limits.RestartAfter * Math.Pow(2, recent.Length - 1);
        return new(WorkerPhase.Waiting, recent, died.Reason, died.At + wait) { Trouble = trouble, LastHang = lastHang };
    }

    /// <summary>How long the device rests because of what this worker died of; null: no longer than any other death.</summary>
    private static TimeSpan? RestAfter(WorkerLife life, WorkerEvent.Died died)
    {
        if (died.Trouble is not { } trouble)
            return null;
        if (trouble.IsHang && life.LastHang is { } before && died.At - before < Limits.HangWindow)
            return Limits.QuarantineFor;
        return trouble.Death.Action switch
        {
            FailureAction.AwaitPowerCycle or FailureAction.MarkUnsupported or FailureAction.QuarantineAfterReboot =>
                TimeSpan.MaxValue,
            FailureAction.AwaitRepair => Limits.RepairRest,
            FailureAction.ResetOnce when life.Trouble?.Death.Id == trouble.Death.Id => Limits.RepairRest,
            _ => null,
        };
    }

    /// <summary>The same trouble again is still the one from before.</summary>
    private static WorkerTrouble? TroubleOf(WorkerLife life, WorkerEvent.Died died) =>
        life.Trouble is { } known && known.Death.Id == died.Trouble?.Death.Id
            ? died.Trouble with
            {
                Since = known.Since,
            }
            : died.Trouble;

    private static string Advice(WorkerEvent.Died died, TimeSpan rest)
    {
        var what = died.Trouble is { IsHang: true } ? $"The device hung twice in a row: {died.Reason}" : died.Reason;
        var again =
            rest == TimeSpan.MaxValue
                ? "it is not tried again before that."
                : $"it is tried again by itself after {rest.TotalMinutes:0} min.";
        return $"{what} Do what the fix says, then: ./fleet device clear; {again}";
    }

    private static string Advice(int deaths, string reason) =>
        $"The worker died {deaths} times within {Limits.DeathWindow.TotalSeconds:0} s, last: {reason} "
        + "Fix what it names (the worker's log is in the agent's data folder), then restart the agent; "
        + $"it is tried again by itself after {Limits.QuarantineFor.TotalMinutes:0} min.";
}
