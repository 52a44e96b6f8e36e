using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>A model that stays loaded until this is disposed.</summary>
internal sealed class ModelUse(ModelInfo info, Action release) : IDisposable
{
    private Action? release = release;

    public ModelInfo Info => info;

    public void Dispose() => Interlocked.Exchange(ref release, null)?.Invoke();
}
