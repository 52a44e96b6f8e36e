using System.Net;
using EgpuFleet.Silo.Gateway;
using EgpuFleet.Silo.Gateway.Native;
using EgpuFleet.Silo.Postgres;
using Microsoft.AspNetCore.Connections;

namespace EgpuFleet.Silo.Hosting;

/// <summary>The control process, running: its database, its silo, its gateway. Disposal stops them in the other order.</summary>
public sealed class ControlSilo : IAsyncDisposable
{
    private readonly EmbeddedPostgres? ownPostgres;
    private readonly WebApplication host;

    private ControlSilo(EmbeddedPostgres? postgres, WebApplication app) => (ownPostgres, host) = (postgres, app);

    public IServiceProvider Services => host.Services;

    /// <summary>Starts everything, or leaves nothing running.</summary>
    /// <exception cref="StartupException">It cannot start; the message says why in one line.</exception>
    public static async Task<ControlSilo> StartAsync(SiloSettings settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (!SiloPorts.IsFree(settings.Port))
            throw PortBusy(settings.Port);
        var folder = new DataFolder(settings.DataDirectory);
        folder.Create();
        using var logging = LoggerFactory.Create(FleetLogging.Configure);
        var postgres = settings.PostgresConnectionString is null
            ? await StartPostgresAsync(settings, folder, logging, cancellationToken)
            : null;
        try
        {
            var connectionString = settings.PostgresConnectionString ?? postgres!.ConnectionString;
            await Migrator.MigrateAsync(connectionString, logging.CreateLogger("Migrator"), cancellationToken);
            var app = Build(settings, folder, connectionString);
            await StartAsync(app, settings.Port, cancellationToken);
            return new ControlSilo(postgres, app);
        }
        catch
        {
            if (postgres is not null)
                await postgres.DisposeAsync();
            throw;
        }
    }

    /// <summary>Until it is told to stop; returns the exit code.</summary>
    public async Task<int> WaitForShutdownAsync()
    {
        await host.WaitForShutdownAsync();
        return Services.GetRequiredService<FatalErrorExit>().Happened ? ExitCodes.RestartMe : ExitCodes.Done;
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        await host.DisposeAsync();
        if (ownPostgres is not null)
            await ownPostgres.DisposeAsync();
    }

    private static WebApplication Build(SiloSettings settings, DataFolder folder, string connectionString)
    {
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, ApplicationName = "EgpuFleet.Silo" }
        );
        FleetLogging.Configure(builder.Logging);
        builder.Services.AddFleetTelemetry(settings.Name);
        builder.Services.AddControlPlane(settings, folder, connectionString);
        builder.AddControlSilo(settings, connectionString, SiloPorts.LoadOrChoose(folder));
        builder.AddGateway(settings.Port);
        var app = builder.Build();
        app.Services.GetRequiredService<ModelStore>().RemoveHalfReceived();
        app.MapGateway(settings.Port);
        return app;
    }

    private static async Task StartAsync(WebApplication app, int port, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            await app.DisposeAsync();
            throw PortBusy(port);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    private static async Task<EmbeddedPostgres> StartPostgresAsync(
        SiloSettings settings,
        DataFolder folder,
        ILoggerFactory logging,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await EmbeddedPostgres.StartAsync(
                new EmbeddedPostgresOptions { DataDirectory = folder.Postgres, Settings = settings.PostgresSettings },
                logging.CreateLogger("Postgres"),
                cancellationToken
            );
        }
        catch (EmbeddedPostgresException e)
        {
            throw new StartupException(e.Message);
        }
    }

    private static StartupException PortBusy(int port) =>
        new($"Port {port} on {IPAddress.Loopback} is taken by another process. Choose another one with --port.");
}
