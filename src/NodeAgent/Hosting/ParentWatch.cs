using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Hosting;

/// <summary>
/// Ends the agent when the process that started it is gone. The parent holds the other end of our standard input and never
/// writes; the kernel closes it however the parent dies.
/// </summary>
internal sealed partial class ParentWatch(IHostApplicationLifetime lifetime, ILogger<ParentWatch> log)
    : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Reading standard input blocks a thread that nothing can interrupt; a background thread does not hold the process.
        var thread = new Thread(ReadToEnd) { IsBackground = true, Name = "parent watch" };
        thread.Start();
        return Task.CompletedTask;
    }

    private void ReadToEnd()
    {
        using var input = Console.OpenStandardInput();
        Span<byte> buffer = stackalloc byte[64];
        while (input.Read(buffer) > 0) { }
        LogParentGone();
        lifetime.StopApplication();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The parent process is gone; shutting down")]
    private partial void LogParentGone();
}
