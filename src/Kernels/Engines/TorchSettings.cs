namespace EgpuFleet.Kernels.Engines;

/// <summary>The Torch engine, which trains on the processor.</summary>
public static class TorchSettings
{
    /// <summary>The engine's name in jobs, options and logs.</summary>
    public const string Engine = "torch";
}
