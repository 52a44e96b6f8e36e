using EgpuFleet.Api;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;

namespace EgpuFleet.Dashboard.Gateway;

internal static class GatewayServices
{
    private const string ClientName = "EgpuFleet.Dashboard";

    /// <summary>Adds a <see cref="FleetClient"/> that is made for each use, so that it always knows the gateway's address.</summary>
    public static IServiceCollection AddFleetGateway(
        this IServiceCollection services,
        Func<IServiceProvider, Uri> address
    )
    {
        services
            .AddHttpClient(ClientName)
            .ConfigureHttpClient(
                (provider, http) =>
                {
                    http.BaseAddress = address(provider);
                    http.Timeout = Limits.Call;
                }
            )
            // Who looks is told of every failure, and a line of log for each of four calls a second helps nobody.
            .RemoveAllLoggers()
            .AddResilienceHandler(
                "once-more",
                pipeline => pipeline.AddRetry(OnceMore).ConfigureTelemetry(NullLoggerFactory.Instance)
            );
        services.AddSingleton(provider => new OpenGateway(() =>
            new FleetClient(provider.GetRequiredService<IHttpClientFactory>().CreateClient(ClientName))
        ));
        return services;
    }

    /// <summary>One more try for a read whose connection broke; pollers and streams try again by themselves after that.</summary>
    private static HttpRetryStrategyOptions OnceMore { get; } =
        new()
        {
            MaxRetryAttempts = 1,
            Delay = TimeSpan.FromMilliseconds(100),
            ShouldHandle = attempt =>
                ValueTask.FromResult(
                    attempt.Outcome.Exception is HttpRequestException
                        && attempt.Context.GetRequestMessage()?.Method == HttpMethod.Get
                ),
        };
}

/// <summary>Opens a client of the public API at the gateway's present address.</summary>
public delegate FleetClient OpenGateway();
