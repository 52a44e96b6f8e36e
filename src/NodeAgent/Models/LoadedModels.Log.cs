using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Models;

internal sealed partial class LoadedModels
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Loaded {Name}: {Bytes} bytes in {Milliseconds:0} ms")]
    private partial void LogLoaded(string name, long bytes, double milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Unloaded {Sha256} to make room")]
    private partial void LogUnloaded(string sha256);
}
