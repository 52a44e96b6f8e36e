namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>
/// The answers to one request as server-sent events. Nothing is sent before the first token or a while of silence, so that a request that
/// fails at once still gets a status; after that a failure is an <c>error</c> event, and the stream ends without
/// <c>[DONE]</c>. Comments keep the connection open while a model loads.
/// </summary>
public sealed class CompletionStream(HttpContext context, Dialect dialect, CompletionRequest request, TimeProvider time)
{
    private readonly ServerSentEvents events = new(context.Response, OpenAiJson.Options);

    public async Task SendAsync(IAsyncEnumerable<ChoiceChunk> pieces)
    {
        ArgumentNullException.ThrowIfNull(pieces);
        var cancellationToken = context.RequestAborted;
        try
        {
            var gathered = await SendPiecesAsync(pieces, cancellationToken);
            gathered.RequireEnds();
            if (request.IncludeUsage)
                await events.DataAsync(dialect.Counts(gathered.Usage), cancellationToken);
            await events.DoneAsync(cancellationToken);
        }
        catch (Exception e) when (events.Started && !cancellationToken.IsCancellationRequested)
        {
            var refused = ErrorBoundary.Classify(e);
            await events.DataAsync(new OpenAiErrorBody(OpenAiError.From(refused)), cancellationToken);
        }
    }

    private async Task<ChoiceGatherer> SendPiecesAsync(
        IAsyncEnumerable<ChoiceChunk> chunks,
        CancellationToken cancellationToken
    )
    {
        var gathered = new ChoiceGatherer(request.Prompts.Count, request.PerPrompt, withText: false);
        var opened = new bool[request.Choices];
        await using var pieces = chunks.GetAsyncEnumerator(cancellationToken);
        while (await NextAsync(pieces, cancellationToken))
        {
            await EnsureStartedAsync(cancellationToken);
            var piece = pieces.Current;
            if (!opened[piece.Choice] && dialect.Opening(piece.Choice) is { } opening)
                await events.DataAsync(opening, cancellationToken);
            opened[piece.Choice] = true;
            gathered.Add(piece);
            foreach (var told in dialect.Pieces(piece))
                await events.DataAsync(told, cancellationToken);
        }
        return gathered;
    }

    private async Task<bool> NextAsync(IAsyncEnumerator<ChoiceChunk> pieces, CancellationToken cancellationToken)
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
