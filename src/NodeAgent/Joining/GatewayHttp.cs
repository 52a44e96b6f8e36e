using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace EgpuFleet.NodeAgent.Joining;

/// <summary>The HTTP clients towards the gateway: the node's credential on every request, retries, and bounds.</summary>
public static class GatewayHttp
{
    /// <summary>Small requests.</summary>
    public const string Name = "gateway";

    /// <summary>Model downloads: the body may take long, the headers may not.</summary>
    public const string Downloads = "gateway-downloads";

    /// <summary>Chunks of checkpoints to and from the store: an answer waits for its disk.</summary>
    public const string Checkpoints = "gateway-checkpoints";

    /// <summary>What a silo works on for long before it answers: a trained model's file.</summary>
    public const string Publishing = "gateway-publishing";

    public static IServiceCollection AddGatewayHttp(
        this IServiceCollection services,
        IReadOnlyList<Uri> gateways,
        NodeCredential credential
    )
    {
        ArgumentNullException.ThrowIfNull(gateways);
        ArgumentNullException.ThrowIfNull(credential);
        var choice = new GatewayChoice(gateways);
        services
            .AddHttpClient(
                Name,
                client =>
                {
                    Common(client, gateways[0], credential);
                    client.MaxResponseContentBufferSize = Limits.MembershipBytes;
                    client.Timeout = TimeSpan.FromTicks(Limits.GatewayTimeout.Ticks * 3);
                }
            )
            .ConfigurePrimaryHttpMessageHandler(() => new GatewayFailover(choice, Limits.GatewayTimeout, Direct()))
            .AddResilienceHandler(Name, AddResilience);
        services
            .AddHttpClient(
                Downloads,
                client =>
                {
                    Common(client, gateways[0], credential);
                    client.Timeout = Timeout.InfiniteTimeSpan;
                }
            )
            .ConfigurePrimaryHttpMessageHandler(() => new GatewayFailover(choice, Limits.GatewayTimeout, Direct()))
            .AddResilienceHandler(Downloads, AddResilience);
        AddPatient(Checkpoints, Limits.CheckpointTimeout);
        AddPatient(Publishing, Limits.PublishTimeout);
        return services;

        // Whoever trains tries again by itself, for as long as it holds its lease.
        void AddPatient(string name, TimeSpan patience) =>
            services
                .AddHttpClient(
                    name,
                    client =>
                    {
                        Common(client, gateways[0], credential);
                        client.Timeout = Timeout.InfiniteTimeSpan;
                    }
                )
                .ConfigurePrimaryHttpMessageHandler(() =>
                    new GatewayFailover(choice, patience * gateways.Count, Direct())
                );
    }

    private static void Common(HttpClient client, Uri gateway, NodeCredential credential)
    {
        client.BaseAddress = gateway;
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", credential.Value);
    }

    // No proxy and no redirect: the credential goes to the configured gateways and nowhere else.
    private static SocketsHttpHandler Direct() =>
        new()
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(2),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };

    // Repeating a conditional membership write is safe: one that was done already is refused by its version.
    private static void AddResilience(ResiliencePipelineBuilder<HttpResponseMessage> pipeline) =>
        pipeline
            .AddRetry(
                new HttpRetryStrategyOptions
                {
                    MaxRetryAttempts = 2,
                    Delay = TimeSpan.FromMilliseconds(200),
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                }
            )
            .AddTimeout(Limits.GatewayTimeout);
}
