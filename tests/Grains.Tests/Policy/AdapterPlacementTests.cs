using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Tests.Policy;

/// <summary>Adapters go where an engine serves them, and take no more memory there than they need beside their base.</summary>
public sealed class AdapterPlacementTests
{
    private static readonly ModelRecord Base = Given.Model("base", weightBytes: 4 * Given.Gigabyte, kvBytesPerToken: 0);

    private static readonly ModelRecord Adapter = Base with
    {
        Ref = new ModelRef("ft", "sha-ft", 10_000_000, Base.Ref),
        WeightBytes = Base.WeightBytes + 10_000_000,
        BaseWeightBytes = Base.WeightBytes,
    };

    private static readonly DeviceSlot Llama = Given.Device("a") with { Engine = "llama.cpp" };

    private static readonly DeviceSlot Tinygrad = Given.Device("b", tokensPerSecond: 1000) with { Engine = "tinygrad" };

    [Fact]
    public void Only_an_engine_that_serves_adapters_gets_one()
    {
        Assert.Equal(Llama.Id, Router.Route([Tinygrad, Llama], new RouteRequest(Adapter, [])).Placement?.Device);
        var refusal = Router.Route([Tinygrad], new RouteRequest(Adapter, [])).Refusal;
        Assert.Equal(RefusalCode.NoMatchingDevice, refusal?.Code);
        Assert.Contains("adapter", refusal?.Message, StringComparison.Ordinal);
        Assert.NotNull(Router.Route([Tinygrad], new RouteRequest(Base, [])).Placement);
    }

    [Fact]
    public void Batches_of_an_adapter_go_there_too()
    {
        var plan = Planner.Plan(Given.Snapshot([Tinygrad, Llama], Given.Waiting(1, model: Adapter)));
        Assert.All(plan.Placements, placement => Assert.Equal(Llama.Id, placement.Device));
        Assert.NotEmpty(plan.Placements);
        var none = Planner.Plan(Given.Snapshot([Tinygrad], Given.Waiting(1, model: Adapter)));
        Assert.Empty(none.Placements);
    }

    [Fact]
    public void Beside_its_base_an_adapter_needs_no_room_for_the_bases_weights()
    {
        var busy = Llama with { ActiveSequences = 1, MemoryUsedBytes = 5 * Given.Gigabyte };
        Assert.False(Feasibility.FitsNow(busy, Adapter));
        Assert.True(Feasibility.FitsNow(busy with { LoadedModels = ["sha-base"] }, Adapter));
        Assert.False(
            Feasibility.FitsNow(busy with { MemoryBytes = 4 * Given.Gigabyte, LoadedModels = ["sha-base"] }, Adapter)
        );
    }
}
