namespace EgpuFleet.Silo.Hosting;

/// <summary>Stops the process when its standard input ends: the supervisor that held the other end is gone.</summary>
public sealed class SupervisorWatch(IHostApplicationLifetime lifetime) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Nothing can interrupt a read of standard input; a background thread does not hold up the way out.
        new Thread(ReadToEnd) { IsBackground = true, Name = "supervisor watch" }.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void ReadToEnd()
    {
        using var input = Console.OpenStandardInput();
        Span<byte> buffer = stackalloc byte[256];
        while (input.Read(buffer) > 0) { }
        lifetime.StopApplication();
    }
}
