using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Silos;

/// <summary>The models of a simulated fleet: one that fits everywhere, one only where there is much memory.</summary>
internal sealed class Models : IModelCatalog
{
    private const long MegaByte = 1 << 20;

    public static ModelRecord Small { get; } = Record("small", "aa", 50 * MegaByte);

    public static ModelRecord Large { get; } = Record("large", "bb", 6_000 * MegaByte);

    public Task<ModelRecord?> FindAsync(ModelRef model, CancellationToken cancellationToken) =>
        Task.FromResult(
            model == Small.Ref ? Small
            : model == Large.Ref ? Large
            : null
        );

    private static ModelRecord Record(string name, string sha256, long bytes) =>
        new(
            new ModelRef(name, sha256, bytes),
            "llama",
            "q8_0",
            ParameterCount: bytes,
            ContextLength: 256,
            WeightBytes: bytes,
            KvBytesPerToken: 1024,
            HasChatTemplate: false,
            PlaceClock.Beginning
        );
}
