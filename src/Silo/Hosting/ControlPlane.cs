using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Membership;
using EgpuFleet.Silo.Postgres;
using EgpuFleet.Silo.Postgres.Checkpoints;
using EgpuFleet.Silo.Postgres.Files;
using EgpuFleet.Silo.Postgres.Training;
using EgpuFleet.Silo.Training;
using Npgsql;

namespace EgpuFleet.Silo.Hosting;

/// <summary>What stands behind the gateway: clock, database, and the small services that keep the control plane going.</summary>
public static class ControlPlane
{
    public static void AddControlPlane(
        this IServiceCollection services,
        SiloSettings settings,
        DataFolder folder,
        string connectionString
    )
    {
        ArgumentNullException.ThrowIfNull(settings);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(settings);
        services.AddSingleton(folder);
        services.AddSingleton(EnrolmentSecret.ReadOrCreate(folder));
        services.AddHostedService<PublishedSecret>();
        services.AddSingleton(settings.Scheduling);
        services.AddSingleton(_ => NpgsqlDataSource.Create(connectionString));
        services.AddSingleton<ControlTables>();
        services.AddSingleton(provider => new PostgresLedger(
            connectionString,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()
        ));
        services.AddSingleton<ILedger>(provider => provider.GetRequiredService<PostgresLedger>());
        services.AddSingleton<ITuningStore, TuningTables>();
        services.AddSingleton<FileTables>();
        services.AddSingleton<ICheckpointStore>(provider => new PostgresCheckpoints(
            connectionString,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()
        ));
        services.AddSingleton<IFineTuningStore, FineTuningTables>();
        services.AddSingleton<IRoundStore>(provider => new PostgresRounds(
            connectionString,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()
        ));
        services.AddSingleton<RoundSignals>();
        services.AddHostedService<RoundCloser>();
        services.AddHostedService<StagedInputSweep>();
        services.AddHostedService<RetentionSweep>();
        services.AddHostedService<CheckpointSweep>();
        services.AddHostedService<DeadLeaders>();
        if (settings.Supervised)
            services.AddHostedService<SupervisorWatch>();
        services.Configure<HostOptions>(options => options.ShutdownTimeout = Limits.ShutdownTimeout);
    }
}
