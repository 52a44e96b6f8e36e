using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Grains.Ports;

/// <summary>Where the scheduler learns what a model needs: the registry grain in production.</summary>
public interface IModelCatalog
{
    /// <summary>The record of exactly this content, or null when it was never registered.</summary>
    Task<ModelRecord?> FindAsync(ModelRef model, CancellationToken cancellationToken);
}
