using EgpuFleet.Kernels.Drivers;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Devices;

internal sealed partial class DeviceRegistry
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "The driver of {Kind} devices cannot tell what is there")]
    private partial void LogBlind(DeviceKind kind, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Device} is now {Model}, or can be used otherwise")]
    private partial void LogChanged(string device, string model);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Device} works and was not found; looking again")]
    private partial void LogDoubted(string device);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Device} is gone")]
    private partial void LogLeft(string device);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Device} is back; it is tested before it serves")]
    private partial void LogReturned(string device);
}
