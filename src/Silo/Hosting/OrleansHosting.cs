using System.Net;
using EgpuFleet.Grains;
using EgpuFleet.Grains.Interfaces.Placement;
using Orleans.Configuration;
using Orleans.Runtime;

namespace EgpuFleet.Silo.Hosting;

/// <summary>The control silo: membership, grain state and reminders in Postgres, loopback only, no client gateway.</summary>
public static class OrleansHosting
{
    private const string Invariant = "Npgsql";

    public static void AddControlSilo(
        this WebApplicationBuilder builder,
        SiloSettings settings,
        string connectionString,
        SiloPorts ports
    )
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(settings);
        builder.UseOrleans(silo =>
        {
            silo.UseFleetClusterTuning(settings.Name, ClusterTuning.ProbedByControlSilo);
            silo.ConfigureEndpoints(IPAddress.Loopback, ports.Silo, gatewayPort: 0, listenOnAnyHostAddress: false);
            silo.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = (Invariant, connectionString));
            silo.AddAdoNetGrainStorage(
                FleetStorage.Name,
                o => (o.Invariant, o.ConnectionString) = (Invariant, connectionString)
            );
            silo.UseAdoNetReminderService(o => (o.Invariant, o.ConnectionString) = (Invariant, connectionString));
            // Every restart of a process leaves a row; agents cannot remove theirs.
            silo.Configure<ClusterMembershipOptions>(o =>
                (o.DefunctSiloCleanupPeriod, o.DefunctSiloExpiration) = (Limits.DeadSiloMemory, Limits.DeadSiloMemory)
            );
            silo.AddFleetGrains();
            silo.Services.AddSingleton<FatalErrorExit>();
            silo.Services.AddSingleton<IFatalErrorHandler>(services => services.GetRequiredService<FatalErrorExit>());
        });
    }
}
