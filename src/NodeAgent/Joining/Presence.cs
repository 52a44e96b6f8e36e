using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;

namespace EgpuFleet.NodeAgent.Joining;

/// <summary>
/// The node's sign of life: a heartbeat every few seconds and after each change, of its own or of the cluster's members,
/// and a goodbye at the end. The answer renews leases from the moment the heartbeat was sent; what it does not renew stops.
/// One that nobody took is soon repeated: a new leader can place nothing on a node it has not heard. Registered after
/// Orleans, so that it ends before the silo leaves.
/// </summary>
internal sealed partial class Presence(
    DeviceRegistry devices,
    IGrainFactory grains,
    SleepWatch watch,
    TimeProvider time,
    ChangeSignal changes,
    IClusterMembershipService membership,
    ShutdownBound ending,
    ILogger<Presence> log
) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private Task beating = Task.CompletedTask;
    private Task watching = Task.CompletedTask;
    private Task listening = Task.CompletedTask;
    private TimeSpan every = Limits.HeartbeatEvery;
    private bool answered;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        beating = Task.Run(() => BeatAsync(stopping.Token), CancellationToken.None);
        watching = Task.Run(() => WatchDeadlinesAsync(stopping.Token), CancellationToken.None);
        listening = Task.Run(() => ListenAsync(stopping.Token), CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Lets fine-tunings make their state durable, which only who holds a lease may do; then says goodbye, so that the shards
    /// move at once, and stops them and the workers.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await devices.DrainAsync();
        ending.Drained();
        await stopping.CancelAsync();
        await Task.WhenAll(beating, watching, listening);
        await SendAsync(leaving: true, Limits.GoodbyeTimeout);
        await devices.StopAsync();
    }

    public void Dispose() => stopping.Dispose();

    private async Task BeatAsync(CancellationToken cancellationToken)
    {
        try
        {
            var changed = changes.WaitAsync(cancellationToken);
            while (true)
            {
                // Counted from the send, so that a slow answer does not put the next heartbeat off.
                var pause = Task.Delay(every, time, cancellationToken);
                await SendAsync(leaving: false, every * Limits.HeartbeatTimeoutShare);
                if (answered)
                    await Task.WhenAny(changed, pause);
                await Task.Delay(answered ? Limits.HeartbeatSpacing : Limits.HeartbeatRetry, time, cancellationToken);
                if (changed.IsCompleted)
                    changed = changes.WaitAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
    }

    private async Task SendAsync(bool leaving, TimeSpan timeout)
    {
        var (sleeps, sentAt) = (watch.Look(), watch.Now);
        var heartbeat = devices.Describe(leaving);
        try
        {
            var pool = grains.GetGrain<IPoolGrain>(PoolId.Default.Value);
            var reply = await pool.Heartbeat(heartbeat).WaitAsync(timeout, time);
            watch.Answer(sleeps);
            var renewed = reply.Renewed.ToHashSet();
            foreach (var status in heartbeat.Devices)
            {
                devices
                    .Find(status.Facts.Device.ToString())
                    ?.Shards.Renew(status.RunningShards, renewed, sentAt, reply.LeaseDuration, sleeps);
            }
            every = TimeSpan.FromTicks(
                Math.Min(Limits.HeartbeatEvery.Ticks, (long)(reply.LeaseDuration.Ticks * Limits.HeartbeatShare))
            );
            if (!answered)
                LogHeard();
            answered = true;
        }
        catch (Exception e)
        {
            // Whatever the reason: nothing is renewed by it, the next heartbeat tries again, and the deadlines rule.
            if (answered || leaving)
                LogUnheard(e.Message);
            answered = false;
        }
    }

    /// <summary>Whenever a silo comes or goes, the next leader may be waiting to hear of this node.</summary>
    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var _ in membership.MembershipUpdates.WithCancellation(cancellationToken))
                changes.Raise();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
    }

    /// <summary>Ends leases whose time is over while nothing else looks at them.</summary>
    private async Task WatchDeadlinesAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Limits.LeaseCheckEvery, time);
        var slept = watch.Look();
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                if (watch.Look() is var sleeps && sleeps != slept)
                {
                    slept = sleeps;
                    LogWoke();
                    // Nothing goes on until a heartbeat is answered.
                    changes.Raise();
                }
                foreach (var device in devices.Devices)
                    device.Shards.Tick();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The machine slept; work waits until the pool confirms its leases"
    )]
    private partial void LogWoke();

    [LoggerMessage(Level = LogLevel.Information, Message = "The pool hears this node")]
    private partial void LogHeard();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The pool does not answer heartbeats: {Reason}")]
    private partial void LogUnheard(string reason);
}
