namespace EgpuFleet.Silo.Hosting;

/// <summary>Stops the process when its standard input ends: the supervisor that held the other end is gone.</summary>
public sealed class SupervisorWatch(IHostApplicationLifetime lifetime) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var input = Console.OpenStandardInput();
        var buffer = new byte[256];
        while (await input.ReadAsync(buffer, stoppingToken) > 0) { }
        lifetime.StopApplication();
    }
}
