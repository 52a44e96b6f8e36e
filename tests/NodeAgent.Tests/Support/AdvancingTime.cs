namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>Time in which every wait is over at once: the retries of an hour take as long as their calls.</summary>
internal sealed class AdvancingTime : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        System.CreateTimer(
            callback,
            state,
            dueTime == Timeout.InfiniteTimeSpan ? dueTime : TimeSpan.Zero,
            Timeout.InfiniteTimeSpan
        );
}
