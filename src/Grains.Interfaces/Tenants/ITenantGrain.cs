namespace EgpuFleet.Grains.Interfaces.Tenants;

/// <summary>A tenant's share. <paramref name="Weight"/> 2 gets twice the share of weight 1.</summary>
[GenerateSerializer, Immutable, Alias("fleet.TenantRecord")]
public sealed record TenantRecord([property: Id(0)] TenantId Tenant, [property: Id(1)] double Weight);

/// <summary>One tenant, persistent. Key: the tenant id.</summary>
[Alias("fleet.ITenant")]
public interface ITenantGrain : IGrainWithStringKey
{
    /// <summary>The record; a tenant never set has weight 1.</summary>
    [Alias("Get")]
    Task<TenantRecord> Get();

    /// <summary>Sets the weight, above 0.</summary>
    [Alias("SetWeight")]
    Task SetWeight(double weight);
}
