namespace EgpuFleet.Kernels.Engines;

/// <summary>What the worker of the llama.cpp engine is told by its environment.</summary>
public static class LlamaCppSettings
{
    /// <summary>The engine's name in jobs, options and logs.</summary>
    public const string Engine = "llama.cpp";

    /// <summary>Names the device: <see cref="Cpu"/> or <see cref="Metal"/>; left out: the processor.</summary>
    public const string DeviceVariable = "EGPUFLEET_LLAMACPP_DEVICE";

    /// <summary>The processor.</summary>
    public const string Cpu = "cpu";

    /// <summary>The GPU of an Apple chip. Where it is not, the worker refuses to open: it never computes on the processor instead.</summary>
    public const string Metal = "metal";
}
