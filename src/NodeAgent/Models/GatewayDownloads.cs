using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.NodeAgent.Joining;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>Brings files known by their hash from the gateway; a connection that breaks is taken up where it broke.</summary>
internal sealed partial class GatewayDownloads
{
    private readonly IHttpClientFactory clients;
    private readonly ILogger<GatewayDownloads> log;
    private readonly ResiliencePipeline retries;

    public GatewayDownloads(IHttpClientFactory clients, TimeProvider time, ILogger<GatewayDownloads> log)
    {
        this.clients = clients;
        this.log = log;
        retries = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(
                new RetryStrategyOptions
                {
                    ShouldHandle = new PredicateBuilder()
                        .Handle<IOException>()
                        .Handle<HttpRequestException>()
                        .Handle<TimeoutRejectedException>(),
                    MaxRetryAttempts = Limits.DownloadAttempts - 1,
                    Delay = TimeSpan.FromMilliseconds(200),
                    BackoffType = DelayBackoffType.Exponential,
                    OnRetry = retry =>
                    {
                        LogRetry(retry.AttemptNumber + 1, retry.Outcome.Exception?.Message);
                        return default;
                    },
                }
            )
            .Build();
    }

    /// <summary>Returns when the file is whole and its hash is right.</summary>
    /// <param name="file">What it is called, and its hash and size.</param>
    /// <param name="route">Where the gateway has it.</param>
    /// <param name="path">Where it goes, and what an earlier attempt left.</param>
    /// <exception cref="Grains.Interfaces.Serving.GenerationException">It cannot be had.</exception>
    public async Task FetchAsync(ModelRef file, string route, string path, CancellationToken cancellationToken)
    {
        try
        {
            await retries.ExecuteAsync(
                async token =>
                {
                    using var client = clients.CreateClient(GatewayHttp.Downloads);
                    await new ModelDownload(client, file, path, route).RunAsync(token);
                },
                cancellationToken
            );
        }
        catch (Exception e) when (e is IOException or HttpRequestException or TimeoutRejectedException)
        {
            throw ModelFailures.Unreachable(file, e.Message);
        }
    }
}
