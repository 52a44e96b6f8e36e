using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Models;

/// <summary>The registry grain as the scheduler's catalog.</summary>
internal sealed class GrainModelCatalog(IGrainFactory grains) : IModelCatalog
{
    public async Task<ModelRecord?> FindAsync(ModelRef model, CancellationToken cancellationToken)
    {
        var registry = grains.GetGrain<IModelRegistryGrain>(IModelRegistryGrain.Key);
        var record = await registry.FindContent(model.Sha256).WaitAsync(cancellationToken);
        return record is null ? null : record with { Ref = model };
    }
}
