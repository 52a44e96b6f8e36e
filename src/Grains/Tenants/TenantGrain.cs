using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Tenants;

namespace EgpuFleet.Grains.Tenants;

/// <summary>A tenant's share as it is stored.</summary>
[GenerateSerializer, Alias("fleet.TenantState")]
public sealed class TenantState
{
    [Id(0)]
    public double Weight { get; set; } = 1;
}

/// <summary>One tenant; see <see cref="ITenantGrain"/>.</summary>
[GrainType("tenant")]
public sealed class TenantGrain([PersistentState("tenant", FleetStorage.Name)] IPersistentState<TenantState> stored)
    : Grain,
        ITenantGrain
{
    public Task<TenantRecord> Get() =>
        Task.FromResult(new TenantRecord(new TenantId(this.GetPrimaryKeyString()), stored.State.Weight));

    public async Task SetWeight(double weight)
    {
        if (!double.IsFinite(weight) || weight <= 0)
            throw new ArgumentOutOfRangeException(nameof(weight), weight, "A weight is a finite number above 0.");
        var before = stored.State.Weight;
        stored.State.Weight = weight;
        try
        {
            await stored.WriteStateAsync();
        }
        catch
        {
            stored.State.Weight = before;
            throw;
        }
    }
}
