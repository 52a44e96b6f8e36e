using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Models;

internal sealed partial class ModelCache
{
    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Fetching model {Name} ({Sha256}, {Bytes} bytes) from the gateway"
    )]
    private partial void LogFetching(string name, string sha256, long bytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Name} ({Sha256}) is here and verified")]
    private partial void LogFetched(string name, string sha256);
}
