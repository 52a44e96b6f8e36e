using Polly;

namespace EgpuFleet.Grains.Fleet;

/// <summary>
/// Runs a pipeline in the caller's context. By default its tries go on in the thread pool, out of the scheduler's context,
/// which a simulation needs for its seeds to repeat.
/// </summary>
internal static class ResilienceHere
{
    public static async Task<T> ExecuteHereAsync<T>(
        this ResiliencePipeline pipeline,
        Func<CancellationToken, Task<T>> attempt,
        CancellationToken cancellationToken
    )
    {
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, cancellationToken);
        try
        {
            return await pipeline.ExecuteAsync(
                static async (here, attempt) => await attempt(here.CancellationToken),
                context,
                attempt
            );
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    public static Task ExecuteHereAsync(
        this ResiliencePipeline pipeline,
        Func<CancellationToken, Task> attempt,
        CancellationToken cancellationToken
    ) =>
        pipeline.ExecuteHereAsync(
            async token =>
            {
                await attempt(token);
                return true;
            },
            cancellationToken
        );
}
