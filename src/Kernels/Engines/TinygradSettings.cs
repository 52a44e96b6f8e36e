namespace EgpuFleet.Kernels.Engines;

/// <summary>What the worker of the tinygrad engine is told by its environment, and which tinygrad it is written against.</summary>
public static class TinygradSettings
{
    /// <summary>The engine's name in jobs, options and logs.</summary>
    public const string Engine = "tinygrad";

    /// <summary>The commit of tinygrad that the worker is written against and tested with.</summary>
    public const string PinnedCommit = "a9069c177";

    /// <summary>Names a checkout of tinygrad.</summary>
    public const string CheckoutVariable = "EGPUFLEET_TINYGRAD";

    /// <summary>Names the Python interpreter.</summary>
    public const string PythonVariable = "EGPUFLEET_PYTHON";

    /// <summary>Names the device in tinygrad's words (its <c>DEV</c>); left out: the processor.</summary>
    public const string DeviceVariable = "EGPUFLEET_TINYGRAD_DEVICE";

    /// <summary>Processor threads that kernels may use; left out: all.</summary>
    public const string ThreadsVariable = "EGPUFLEET_TINYGRAD_THREADS";
}
