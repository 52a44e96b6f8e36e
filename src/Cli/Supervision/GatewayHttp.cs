using Microsoft.Extensions.Http.Resilience;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace EgpuFleet.Cli.Supervision;

/// <summary>The HTTP client towards a gateway: connects fast or fails, and repeats calls that only read.</summary>
internal static class GatewayHttp
{
    public static HttpClient Create(Uri gateway)
    {
        var pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddRetry(
                new HttpRetryStrategyOptions
                {
                    MaxRetryAttempts = Limits.CallAttempts - 1,
                    Delay = TimeSpan.FromMilliseconds(200),
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    ShouldHandle = arguments => ValueTask.FromResult(IsWorthRepeating(arguments)),
                }
            )
            .Build();
        var connections = new SocketsHttpHandler
        {
            ConnectTimeout = Limits.ConnectTimeout,
            UseProxy = !gateway.IsLoopback,
        };
        var resilient = new ResilienceHandler(pipeline) { InnerHandler = connections };
        return new HttpClient(resilient) { BaseAddress = gateway, Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>A refused connection is an answer (no fleet runs there), and a health check says what is, once.</summary>
    private static bool IsWorthRepeating(RetryPredicateArguments<HttpResponseMessage> arguments)
    {
        var request = arguments.Context.GetRequestMessage();
        if (
            request?.Method != HttpMethod.Get
            || request.RequestUri?.AbsolutePath.StartsWith("/health", StringComparison.Ordinal) == true
        )
            return false;
        return arguments.Outcome.Exception
                is HttpRequestException { HttpRequestError: not HttpRequestError.ConnectionError }
                    or TimeoutRejectedException
            || (int?)arguments.Outcome.Result?.StatusCode is 429 or 502 or 503 or 504;
    }
}
