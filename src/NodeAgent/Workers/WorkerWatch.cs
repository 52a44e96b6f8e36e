using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>Looks after a worker that is ready.</summary>
internal sealed class WorkerWatch(DevicePatience patience, TimeProvider time)
{
    /// <summary>
    /// Until the worker is gone, or hangs with its socket open: its reader answers even while a decode blocks, so silence
    /// means that nothing of it will ever come, and its leases must not be renewed by a healthy agent.
    /// </summary>
    public async Task<(string Reason, bool IsHang)> UntilGoneAsync(WorkerProcess watched, CancellationToken stopping)
    {
        var gone = watched.GoneAsync();
        while (true)
        {
            try
            {
                return ((await gone.WaitAsync(patience.LookEvery, time, stopping)).Reason, watched.IsCondemned);
            }
            catch (TimeoutException)
            {
                // Still connected: ask.
            }
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            limit.CancelAfter(Limits.WorkerProbeTimeout);
            try
            {
                var stats = await watched.Client.StatsAsync(limit.Token);
                if (patience.Judge(stats.DeviceCall) is { } hang)
                    watched.Condemn(hang);
            }
            catch (EngineException e)
            {
                return (e.Message, false);
            }
            catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
            {
                return ($"The worker did not answer for {Limits.WorkerProbeTimeout.TotalSeconds:0} s.", true);
            }
        }
    }
}
