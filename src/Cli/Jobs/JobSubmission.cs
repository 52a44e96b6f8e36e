using EgpuFleet.Api;
using Polly;
using Polly.Retry;

namespace EgpuFleet.Cli.Jobs;

/// <summary>Submits a job so that it exists once, however often the connection breaks: every try carries the same key.</summary>
internal static class JobSubmission
{
    private static readonly ResiliencePipeline Retry = new ResiliencePipelineBuilder()
        .AddRetry(
            new RetryStrategyOptions
            {
                MaxRetryAttempts = Limits.CallAttempts - 1,
                Delay = TimeSpan.FromMilliseconds(300),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = arguments => ValueTask.FromResult(IsWorthRepeating(arguments.Outcome.Exception)),
            }
        )
        .Build();

    /// <param name="open">Opens the JSONL input; called anew for each try. Null: the job holds its items.</param>
    public static Task<JobInfo> SendAsync(
        FleetClient client,
        JobRequest job,
        Func<Stream>? open,
        CancellationToken cancellationToken
    ) =>
        OnceAsync(
            async (key, token) =>
            {
                if (open is null)
                    return await client.SubmitAsync(job, key, token);
                await using var input = open();
                return await client.SubmitAsync(job, input, key, token);
            },
            cancellationToken
        );

    /// <param name="send">Given the key; called anew for each try.</param>
    public static async Task<T> OnceAsync<T>(
        Func<string, CancellationToken, Task<T>> send,
        CancellationToken cancellationToken
    )
    {
        var key = Guid.NewGuid().ToString("N");
        return await Retry.ExecuteAsync(async token => await send(key, token), cancellationToken);
    }

    /// <summary>A refused connection is an answer: no fleet runs there.</summary>
    private static bool IsWorthRepeating(Exception? failure) =>
        failure is HttpRequestException { HttpRequestError: not HttpRequestError.ConnectionError }
        || failure is FleetApiException { Status: System.Net.HttpStatusCode.ServiceUnavailable };
}
