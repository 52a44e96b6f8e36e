using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Tuning;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Hosting;
using EgpuFleet.NodeAgent.Tuning;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>
/// The one item of a tune: a search on a loaded model. What it found is the fleet's before its result is reported; an agent
/// that dies between the two searches again, and the same findings change nothing.
/// </summary>
/// <param name="tunings">Null for an engine whose kernels are not tuned.</param>
internal sealed class TuneItem(FleetTunings? tunings, ThroughputMeter meter, BringUp bringUp, TimeProvider time)
{
    /// <summary>Returns the summary as JSON. Ends within one candidate when the token fires.</summary>
    /// <exception cref="EngineException">The engine, or the model as it is loaded, cannot be tuned; the worker is gone.</exception>
    public async Task<string> RunAsync(
        ShardAssignment assignment,
        ModelRef model,
        WorkerProcess worker,
        CancellationToken cancellationToken
    )
    {
        if (tunings is null || assignment.Tune is not { } wanted)
            throw new EngineException(EngineErrorClass.InvalidRequest, "The device's engine has no kernels to tune.");
        var result = await SearchAsync(model, wanted.Seconds, worker, cancellationToken);
        KernelTuning[] found =
        [
            .. result.Findings.Select(one => new KernelTuning(
                one.Kernel,
                one.Opts,
                one.SecondsBefore,
                one.SecondsAfter
            )),
        ];
        var report = new TuningReport(assignment.Lease.Shard.Job, assignment.Lease.Device.Node, found);
        var of = await PutAsync(tunings, worker, report, cancellationToken);
        return Summary(result, of);
    }

    /// <summary>Counts as one sequence in decode: nothing is measured on the device meanwhile.</summary>
    private async Task<TuneResult> SearchAsync(
        ModelRef model,
        int seconds,
        WorkerProcess worker,
        CancellationToken cancellationToken
    )
    {
        var began = time.GetTimestamp();
        var phase = bringUp.Begin($"tuning {model.Name}", expected: TimeSpan.FromSeconds(seconds));
        meter.Begin();
        try
        {
            return await worker.Client.TuneAsync(model.Sha256, seconds, Tell, cancellationToken);
        }
        finally
        {
            meter.End();
            phase.Dispose();
        }

        void Tell(TuneProgress now)
        {
            var before = phase;
            phase = bringUp.Begin(
                $"tuning {model.Name}: {now.KernelsDone} of {now.KernelsTotal} kernels, {now.KernelsFaster} faster",
                expected: TimeSpan.FromSeconds(seconds) - time.GetElapsedTime(began)
            );
            before.Dispose();
        }
    }

    /// <summary>The work of minutes is not thrown away because a control plane changes its leader.</summary>
    private async Task<TuningClass> PutAsync(
        FleetTunings fleet,
        WorkerProcess worker,
        TuningReport report,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await fleet.PutAsync(worker, report, cancellationToken);
            }
            catch (Exception e)
                when (e is not (EngineException or OperationCanceledException) && attempt < Limits.TuningAttempts)
            {
                await Task.Delay(Limits.TuningRetry, time, cancellationToken);
            }
        }
    }

    /// <summary>In the words of the public API, which passes the text on.</summary>
    private static string Summary(TuneResult result, TuningClass of)
    {
        var (before, after) = (
            result.Findings.Sum(one => one.SecondsBefore),
            result.Findings.Sum(one => one.SecondsAfter)
        );
        var summary = new
        {
            Finish = result.Finish == TuneFinish.Done ? "done" : "deadline",
            DeviceClass = of.Device,
            result.KernelsTotal,
            KernelsSearched = result.KernelsDone,
            KernelsFaster = result.Findings.Count,
            result.CandidatesTimed,
            Gain = after > 0 ? before / after : 1,
            Kernels = result.Findings.OrderByDescending(one => one.SecondsBefore - one.SecondsAfter),
        };
        return JsonSerializer.Serialize(summary, AgentJson.Options);
    }
}
