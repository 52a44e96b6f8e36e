namespace EgpuFleet.Grains;

/// <summary>The grain storage of low-rate state: nodes, models, tenants. The silo must register a provider of this name.</summary>
public static class FleetStorage
{
    public const string Name = "fleet";
}
