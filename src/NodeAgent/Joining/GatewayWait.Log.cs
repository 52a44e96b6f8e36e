using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Joining;

internal sealed partial class GatewayWait
{
    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Waiting to join through {Gateway} (up to {Seconds} s): {Reason}"
    )]
    private partial void LogWaiting(string gateway, string reason, double seconds);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "The gateway {Gateway} knows this node; joining the cluster"
    )]
    private partial void LogReached(string gateway);
}
