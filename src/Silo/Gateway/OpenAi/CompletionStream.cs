using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>
/// One answer as server-sent events. Nothing is sent before the first token or a while of silence, so that a request that
/// fails at once still gets a status; after that a failure is an <c>error</c> event, and the stream ends without
/// <c>[DONE]</c>. Comments keep the connection open while a model loads.
/// </summary>
public sealed class CompletionStream(HttpContext context, Dialect dialect, bool includeUsage, TimeProvider time)
{
    private readonly ServerSentEvents events = new(context.Response, OpenAiJson.Options);

    public static string FinishOf(TokenChunk last) =>
        last.FinishReason
        ?? throw GatewayException.Unavailable("stream_broken", "The answer ended without its last part.");

    public async Task SendAsync(IAsyncEnumerable<TokenChunk> chunks)
    {
        ArgumentNullException.ThrowIfNull(chunks);
        var cancellationToken = context.RequestAborted;
        try
        {
            var last = await SendPiecesAsync(chunks, cancellationToken);
            FinishOf(last);
            if (includeUsage)
                await events.DataAsync(
                    dialect.Counts(Usage.Of(last.PromptTokens, last.CompletionTokens)),
                    cancellationToken
                );
            await events.DoneAsync(cancellationToken);
        }
        catch (Exception e) when (events.Started && !cancellationToken.IsCancellationRequested)
        {
            var refused = ErrorBoundary.Classify(e);
            await events.DataAsync(new OpenAiErrorBody(OpenAiError.From(refused)), cancellationToken);
        }
    }

    private async Task<TokenChunk> SendPiecesAsync(
        IAsyncEnumerable<TokenChunk> chunks,
        CancellationToken cancellationToken
    )
    {
        TokenChunk last = default;
        await using var pieces = chunks.GetAsyncEnumerator(cancellationToken);
        var opened = false;
        while (await NextAsync(pieces, cancellationToken))
        {
            await EnsureStartedAsync(cancellationToken);
            if (!opened && dialect.Opening() is { } opening)
                await events.DataAsync(opening, cancellationToken);
            opened = true;
            last = pieces.Current;
            if (last.Text.Length > 0 || last.FinishReason is not null)
                await events.DataAsync(dialect.Piece(last.Text, last.FinishReason), cancellationToken);
        }
        return last;
    }

    private async Task<bool> NextAsync(IAsyncEnumerator<TokenChunk> pieces, CancellationToken cancellationToken)
    {
        var next = pieces.MoveNextAsync().AsTask();
        while (!next.IsCompleted)
        {
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var tick = Task.Delay(Limits.StreamSilence, time, silence.Token);
            if (await Task.WhenAny(next, tick) == next)
            {
                await silence.CancelAsync();
                break;
            }
            // A caller that left is noticed by the generation itself, which then ends.
            if (cancellationToken.IsCancellationRequested)
                break;
            await EnsureStartedAsync(cancellationToken);
            await events.PingAsync(cancellationToken);
        }
        return await next;
    }

    private async Task EnsureStartedAsync(CancellationToken cancellationToken)
    {
        if (!events.Started)
            await events.StartAsync(cancellationToken);
    }
}
