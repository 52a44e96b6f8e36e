namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>Which job is looked at first: higher priority, then earlier submit.</summary>
public sealed class QueueOrder : IComparer<WaitingJob>
{
    public static readonly QueueOrder Instance = new();

    private QueueOrder() { }

    public int Compare(WaitingJob? x, WaitingJob? y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        var byPriority = y.Priority.CompareTo(x.Priority);
        if (byPriority != 0)
            return byPriority;
        var bySubmit = x.SubmitOrder.CompareTo(y.SubmitOrder);
        return bySubmit != 0 ? bySubmit : x.Id.Value.CompareTo(y.Id.Value);
    }
}
