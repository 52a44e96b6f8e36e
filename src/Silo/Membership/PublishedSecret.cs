using EgpuFleet.Silo.Hosting;
using EgpuFleet.Silo.Postgres;

namespace EgpuFleet.Silo.Membership;

/// <summary>Tells the other control silos the hash of this one's enrolment secret, before it answers anybody.</summary>
public sealed class PublishedSecret(EnrolmentSecret secret, ControlTables tables, SiloSettings settings)
    : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) =>
        tables.PublishSecretAsync(settings.Name, secret.Sha256, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
