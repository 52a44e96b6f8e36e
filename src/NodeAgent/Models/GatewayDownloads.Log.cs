using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Models;

internal sealed partial class GatewayDownloads
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Download attempt {Attempt} failed: {Reason}")]
    private partial void LogRetry(int attempt, string? reason);
}
