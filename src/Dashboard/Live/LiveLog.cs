using Microsoft.Extensions.Logging;

namespace EgpuFleet.Dashboard.Live;

internal static partial class LiveLog
{
    [LoggerMessage(LogLevel.Error, "The dashboard could not read the API")]
    public static partial void ReadFailed(ILogger logger, Exception exception);
}
