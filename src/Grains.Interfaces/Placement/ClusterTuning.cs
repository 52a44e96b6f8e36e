using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Hosting;

namespace EgpuFleet.Grains.Interfaces.Placement;

/// <summary>What every silo of a fleet, control or agent, has in common: names, directory, placement, failure detection.</summary>
public static class ClusterTuning
{
    public const string ClusterId = "egpufleet";

    public const string ServiceId = "egpufleet";

    /// <summary>
    /// Only control silos' votes count (an agent writes no row but its own), so each control silo must probe every member:
    /// the bound is above the largest pool of this build.
    /// </summary>
    public const int ProbedByControlSilo = 64;

    /// <summary>An agent's probes change nothing; one keeps Orleans' own liveness checks alive at the least cost.</summary>
    public const int ProbedByAgent = 1;

    /// <summary>
    /// The settings measured for a fleet: a killed silo's calls fail in about a second, a frozen one is declared dead in about
    /// five. The distributed directory keeps the grains of other silos active when one dies.
    /// </summary>
    public static ISiloBuilder UseFleetClusterTuning(this ISiloBuilder silo, string siloName, int probedSilos)
    {
        ArgumentNullException.ThrowIfNull(silo);
        silo.Configure<ClusterOptions>(o =>
        {
            o.ClusterId = ClusterId;
            o.ServiceId = ServiceId;
        });
        silo.Configure<SiloOptions>(o => o.SiloName = siloName);
        silo.Configure<ClusterMembershipOptions>(o =>
        {
            o.ProbeTimeout = TimeSpan.FromSeconds(1);
            o.MinProbeTimeout = TimeSpan.FromMilliseconds(500);
            o.MaxProbeTimeout = TimeSpan.FromSeconds(2);
            o.NumMissedProbesLimit = 2;
            o.NumVotesForDeathDeclaration = 1;
            o.NumProbedSilos = probedSilos;
            o.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
            o.TableRefreshTimeout = TimeSpan.FromSeconds(10);
        });
        // Orleans would hold a crashed silo's grains back for half a minute so that they never run twice. Here the ledger's
        // epochs and the grain storage's etags refuse a second writer, so a fleet comes back at once instead.
        silo.Configure<GrainDirectoryOptions>(o => o.RangeLeaseDuration = TimeSpan.Zero);
#pragma warning disable ORLEANSEXP003 // the distributed directory is marked experimental; without it every lost agent deactivates grains of healthy silos
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003
        silo.Services.AddNodePinnedPlacement();
        silo.AddActivityPropagation();
        return silo;
    }
}
