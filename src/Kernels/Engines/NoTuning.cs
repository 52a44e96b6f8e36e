namespace EgpuFleet.Kernels.Engines;

/// <summary>The refusal of engines whose kernels cannot be tuned.</summary>
internal static class NoTuning
{
    public static EngineException In(string engine) =>
        new(
            EngineErrorClass.InvalidRequest,
            $"{engine} has no kernels to tune; the engine {TinygradSettings.Engine} has. "
                + "Choose a device that it drives, or start an agent with --cpu-engine tinygrad."
        );
}
