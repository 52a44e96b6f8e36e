using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Measuring;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Measuring;

/// <summary>Times single shapes in memory that a device's models lend for it.</summary>
/// <param name="folder">Where the models of the shapes are written.</param>
internal sealed class ShapeTimer(DeviceFacts facts, LoadedModels models, string folder, TimeProvider time)
{
    /// <summary>Null: the memory was not lent, or called back before the end, because a model was asked for.</summary>
    /// <exception cref="EngineException">The worker cannot run it or is gone, or there is no room for it.</exception>
    public async Task<SpeedSample?> TimeAsync(ProbeShape shape, WorkerProcess worker, CancellationToken stopping)
    {
        SpeedSample? sample = null;
        var probe = new SpeedProbe(worker.Client, folder, facts.Threads, time);
        var lent = await models.LendAsync(
            worker,
            shape.ActiveBytes,
            async token => sample = await probe.MeasureAsync(shape, token),
            stopping
        );
        return lent ? sample : null;
    }
}
