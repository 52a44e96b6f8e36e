using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Hosting;

/// <summary>What every hosted process has: a log on standard error, and an end when its parent ends.</summary>
internal static class HostSetup
{
    public static void AddAgentLogging(this HostApplicationBuilder builder)
    {
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.UseUtcTimestamp = true;
        });
        builder.Logging.AddFilter("Orleans", LogLevel.Warning);
        builder.Logging.AddFilter("System.Net.Http", LogLevel.Warning);
        // What is retried is logged by who retries it, in words.
        builder.Logging.AddFilter("Polly", LogLevel.None);
    }

    public static void AddEnding(this IServiceCollection services, AgentOptions options)
    {
        services.AddSingleton<ShutdownBound>();
        services.AddHostedService(provider => provider.GetRequiredService<ShutdownBound>());
        if (options.Supervised)
            services.AddHostedService<ParentWatch>();
    }
}
