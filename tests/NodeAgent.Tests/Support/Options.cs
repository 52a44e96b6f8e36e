namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>Options of an agent on whose machine nothing is installed.</summary>
internal static class Options
{
    public static AgentOptions With(
        string cpuEngine = "llama.cpp",
        int threads = 4,
        long? memoryBytes = null,
        string engineData = "/nowhere/engines",
        IReadOnlySet<string>? devices = null
    ) =>
        new()
        {
            Data = "/nowhere",
            Gateways = [new Uri("http://127.0.0.1:9")],
            Node = Leases.Node,
            Threads = threads,
            MemoryBytes = memoryBytes,
            Devices = devices,
            CpuEngine = cpuEngine,
            EngineDir = "/engines",
            EngineData = engineData,
            JoinTimeout = TimeSpan.FromSeconds(1),
            ModelCacheBytes = 1,
            StepTimeout = TimeSpan.FromSeconds(1),
            Measure = false,
            Supervised = false,
        };
}
