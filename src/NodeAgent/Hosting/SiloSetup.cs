using System.Net;
using EgpuFleet.Grains.Interfaces.Placement;
using EgpuFleet.NodeAgent.Joining;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace EgpuFleet.NodeAgent.Hosting;

/// <summary>The agent as a silo: only node and device grains, no client gateway, membership through HTTP.</summary>
internal static class SiloSetup
{
    public static ISiloBuilder UseAgentSilo(this ISiloBuilder silo, AgentOptions options, AgentPorts ports)
    {
        silo.UseFleetClusterTuning(options.Node.Value, ClusterTuning.ProbedByAgent);
        silo.Configure<EndpointOptions>(o =>
        {
            o.AdvertisedIPAddress = IPAddress.Loopback;
            o.SiloPort = ports.Silo;
            o.GatewayPort = 0;
            o.SiloListeningEndpoint = new IPEndPoint(IPAddress.Loopback, ports.Silo);
        });
        silo.Services.AddSingleton<IMembershipTable, HttpMembershipTable>();
        silo.Services.AddSingleton<IFatalErrorHandler, FatalErrorExit>();
        return silo;
    }
}
