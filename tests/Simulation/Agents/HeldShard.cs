using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Simulation.Tests.Agents;

/// <summary>
/// A lease as its holder sees it, by the rules of the real agent: the deadline counts from when the assignment arrived or
/// from when a renewing heartbeat was sent, it is asked before every report, and it ends once.
/// </summary>
internal sealed class HeldShard(ShardAssignment assignment, LeaseClock clock) : IDisposable
{
    private readonly CancellationTokenSource ended = new();
    private TimeSpan deadline = clock.Now + assignment.LeaseDuration;

    public ShardAssignment Assignment => assignment;
    public LeaseKey Key => assignment.Lease;
    public CancellationToken Ended => ended.Token;
    public string? EndReason { get; private set; }

    /// <summary>False once it only waits for the answer to its last report.</summary>
    public bool IsComputing { get; set; } = true;

    /// <summary>Time until the deadline, by the agent's clock.</summary>
    public TimeSpan Left => deadline - clock.Now;

    public bool Check()
    {
        if (EndReason is null && clock.Now >= deadline)
            End("its deadline passed");
        return EndReason is null;
    }

    public void Renew(TimeSpan sentAt, TimeSpan duration)
    {
        if (Check() && sentAt + duration > deadline)
            deadline = sentAt + duration;
    }

    public void End(string reason)
    {
        if (EndReason is not null)
            return;
        EndReason = reason;
        ended.Cancel();
    }

    public void Dispose() => ended.Dispose();
}
