using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>Measures one generation as its caller sees it.</summary>
public sealed class RequestMeter
{
    private readonly GatewayMetrics metrics;
    private readonly TimeProvider time;
    private readonly string model;
    private readonly long started;
    private TokenChunk last;

    public RequestMeter(GatewayMetrics metrics, TimeProvider time, string model)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        ArgumentNullException.ThrowIfNull(time);
        (this.metrics, this.time, this.model) = (metrics, time, model);
        started = time.GetTimestamp();
        metrics.Started(model);
    }

    /// <summary>Passes the chunks on.</summary>
    public async IAsyncEnumerable<TokenChunk> CountAsync(
        IAsyncEnumerable<TokenChunk> chunks,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var first = true;
        await foreach (var chunk in chunks.WithCancellation(cancellationToken))
        {
            if (first)
                metrics.FirstToken(model, time.GetElapsedTime(started));
            first = false;
            last = chunk;
            yield return chunk;
        }
    }

    /// <summary>A generation without a last chunk did not come to its end: it failed, or its caller left.</summary>
    public void End()
    {
        if (last.FinishReason is { } reason)
            metrics.Finished(model, reason, last.PromptTokens, last.CompletionTokens, time.GetElapsedTime(started));
        else
            metrics.Failed(model);
    }
}
