namespace EgpuFleet.NodeAgent.Workers;

/// <summary>What others want of a worker's supervisor: a hold or none, and now and then another try.</summary>
internal sealed class WorkerWish
{
    private readonly Lock gate = new();
    private WorkerHold? hold;
    private bool isCleared;
    private TaskCompletionSource changed = NewSource();

    /// <summary>Keeps the device without a worker, or (null) lets it have one.</summary>
    public void Hold(WorkerHold? wanted)
    {
        lock (gate)
        {
            if (hold == wanted)
                return;
            hold = wanted;
            Change();
        }
    }

    /// <summary>Ends a wait or a quarantine.</summary>
    public void Clear()
    {
        lock (gate)
        {
            isCleared = true;
            Change();
        }
    }

    /// <summary>What is wanted now; whether a try was asked for since the last look; and what completes at the next change.</summary>
    public (WorkerHold? Hold, bool IsCleared, Task Changed) Look()
    {
        lock (gate)
        {
            var cleared = isCleared;
            isCleared = false;
            return (hold, cleared, changed.Task);
        }
    }

    private void Change()
    {
        changed.SetResult();
        changed = NewSource();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
