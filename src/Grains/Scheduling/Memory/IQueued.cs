namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>Something that waits for a slot: a job that never started, or one that has started and has more to do.</summary>
internal interface IQueued
{
    int Priority { get; }

    /// <summary>Lower was submitted earlier; no two are equal.</summary>
    long SubmitOrder { get; }
}

/// <summary>Higher priority, then earlier submit: the same order as the planner's.</summary>
internal sealed class QueuedOrder : IComparer<IQueued>
{
    public static readonly QueuedOrder Instance = new();

    private QueuedOrder() { }

    public int Compare(IQueued? x, IQueued? y)
    {
        var byPriority = y!.Priority.CompareTo(x!.Priority);
        return byPriority != 0 ? byPriority : x.SubmitOrder.CompareTo(y.SubmitOrder);
    }
}
