namespace EgpuFleet.Grains.Scheduling;

/// <summary>The times and sizes a scheduler runs with; <see cref="Limits"/> unless a test says otherwise.</summary>
public sealed record SchedulingOptions
{
    public TimeSpan LeaseDuration { get; init; } = Limits.LeaseDuration;
    public TimeSpan SilentAfter { get; init; } = Limits.SilentAfter;
    public TimeSpan UnlistedGrace { get; init; } = Limits.UnlistedGrace;
    public TimeSpan LeaderLease { get; init; } = Limits.LeaderLease;
    public TimeSpan LeaderRenew { get; init; } = Limits.LeaderRenew;
    public TimeSpan LeaderPoll { get; init; } = Limits.LeaderPoll;
    public TimeSpan Tick { get; init; } = Limits.Tick;
    public TimeSpan DeviceHoldBack { get; init; } = Limits.DeviceHoldBack;
    public TimeSpan DispatchTimeout { get; init; } = Limits.DispatchTimeout;
    public TimeSpan EventWait { get; init; } = Limits.EventWait;
    public TimeSpan PoolKeepAlive { get; init; } = Limits.PoolKeepAlive;
    public TimeSpan OutageGrace { get; init; } = Limits.OutageGrace;
    public int MaxActiveJobs { get; init; } = Limits.MaxActiveJobs;
    public long WorkCacheBytes { get; init; } = Limits.WorkCacheBytes;
    public int MaxShardBytes { get; init; } = Limits.MaxShardBytes;
    public Policy.PolicyOptions Policy { get; init; } = new();
}
