using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces.Tuning;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Tuning;

/// <summary>
/// The fleet's tuned kernels for the workers of this node. A worker is given those of its class before it loads a model; a
/// control plane that does not answer costs speed, never the model.
/// </summary>
internal sealed partial class FleetTunings(IGrainFactory grains, TimeProvider time, ILogger<FleetTunings> log)
{
    private const long NoTable = -1;

    private readonly ConcurrentDictionary<TuningClass, TuningTable> tables = new();
    private readonly ConditionalWeakTable<WorkerProcess, Given> given = [];

    /// <summary>Gives a worker what the fleet knows by now. Never faults but by the token; its log says what it could not do.</summary>
    public async Task GiveAsync(WorkerProcess worker, CancellationToken cancellationToken)
    {
        try
        {
            if (await ClassOfAsync(worker, cancellationToken) is not { } of)
                return;
            var table = await TableAsync(of, cancellationToken);
            var has = given.GetOrCreateValue(worker);
            if (has.Revision == Math.Max(table.Revision, 0))
                return;
            KernelOpts[] tunings = [.. table.Kernels.Select(one => new KernelOpts(one.Kernel, one.Opts))];
            var taken = await worker.Client.UseTuningsAsync(tunings, cancellationToken);
            has.Revision = table.Revision;
            LogGiven(taken.Kernels, of.Device, taken.Refused);
        }
        catch (EngineException e)
        {
            // It is dying, or knows nothing of tuning: the load that follows says so.
            LogNotGiven(e.Message);
        }
    }

    /// <summary>Tells the fleet what a search on this worker has found; returns for which devices that holds.</summary>
    /// <exception cref="EngineException">The worker is gone, or its engine tunes nothing.</exception>
    public async Task<TuningClass> PutAsync(
        WorkerProcess worker,
        TuningReport report,
        CancellationToken cancellationToken
    )
    {
        var of =
            await ClassOfAsync(worker, cancellationToken)
            ?? throw new EngineException(EngineErrorClass.InvalidRequest, "The worker's engine tunes no kernels.");
        if (report.Kernels.Count == 0)
            return of;
        var reply = await Grain(of).Put(report).WaitAsync(Limits.TuningTimeout, time, cancellationToken);
        LogPut(reply.Taken, of.Device, reply.Refused);
        return of;
    }

    private static async Task<TuningClass?> ClassOfAsync(WorkerProcess worker, CancellationToken cancellationToken)
    {
        var probe = await worker.Client.ProbeAsync(cancellationToken);
        return probe.TuningClass is { } device ? new TuningClass(device, worker.Client.Worker.Version) : null;
    }

    private async Task<TuningTable> TableAsync(TuningClass of, CancellationToken cancellationToken)
    {
        var known = tables.GetValueOrDefault(of, new TuningTable(NoTable, []));
        try
        {
            var newer = await Grain(of).Get(known.Revision).WaitAsync(Limits.TuningTimeout, time, cancellationToken);
            return newer is null ? known : tables[of] = newer;
        }
        // Whatever keeps the control plane from answering: a model is loaded with what is known here.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogUnheard(of.Device, known.Kernels.Count, e.Message);
            return known;
        }
    }

    private ITuningGrain Grain(TuningClass of) => grains.GetGrain<ITuningGrain>(of.Key);

    private sealed class Given
    {
        /// <summary>Of the table the worker has; one that was never given any has an empty one.</summary>
        public long Revision { get; set; }
    }

    [LoggerMessage(
        LogLevel.Information,
        "{Kernels} tuned kernels of {Device} are given to its worker, {Refused} refused"
    )]
    private partial void LogGiven(int kernels, string device, int refused);

    [LoggerMessage(
        LogLevel.Information,
        "{Kernels} kernels tuned here are the fleet's for {Device}, {Refused} refused"
    )]
    private partial void LogPut(int kernels, string device, int refused);

    [LoggerMessage(LogLevel.Warning, "No tuned kernels are given to the worker: {Reason}")]
    private partial void LogNotGiven(string reason);

    [LoggerMessage(
        LogLevel.Warning,
        "The control plane was not heard on the tuned kernels of {Device}; {Kernels} of before are used: {Reason}"
    )]
    private partial void LogUnheard(string device, int kernels, string reason);
}
