using EgpuFleet.Silo.Postgres;

namespace EgpuFleet.Silo.Hosting;

/// <summary>The verb <c>stop-postgres</c>: ends the database server that a killed silo left running.</summary>
public static class LeftoverPostgres
{
    public static async Task<int> StopAsync(SiloSettings settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settings);
        using var logging = LoggerFactory.Create(FleetLogging.Configure);
        var folder = new DataFolder(settings.DataDirectory);
        await EmbeddedPostgres.StopAsync(folder.Postgres, logging.CreateLogger("Postgres"), cancellationToken);
        return ExitCodes.Done;
    }
}
