using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>Measures one generation as its caller sees it.</summary>
public sealed class RequestMeter(GatewayMetrics metrics, TimeProvider time, string model)
{
    /// <summary>Passes the chunks on. A generation without a last one did not come to its end: it failed, or its caller left.</summary>
    public async IAsyncEnumerable<TokenChunk> CountAsync(
        IAsyncEnumerable<TokenChunk> chunks,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var started = time.GetTimestamp();
        TokenChunk last = default;
        metrics.Started(model);
        try
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
        finally
        {
            if (last.FinishReason is { } reason)
                metrics.Finished(model, reason, last.PromptTokens, last.CompletionTokens, time.GetElapsedTime(started));
            else
                metrics.Failed(model);
        }
    }
}
