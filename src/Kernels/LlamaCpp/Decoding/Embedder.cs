using System.Threading.Channels;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.LlamaCpp.Decoding;

/// <summary>
/// Makes vectors of texts on a thread of its own: whatever waits is computed together, as much as fits one call. The context is
/// made when the first text comes.
/// </summary>
/// <param name="open">Makes the context.</param>
internal sealed class Embedder(Func<EmbeddingContext> open) : IAsyncDisposable
{
    private readonly Channel<Wish> wishes = Channel.CreateBounded<Wish>(
        new BoundedChannelOptions(Limits.EmbeddingQueue) { SingleReader = true }
    );
    private readonly Lock gate = new();
    private Task? loop;
    private volatile bool isClosing;

    /// <param name="tokens">Of the text.</param>
    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.QueueFull"/>, <see cref="EngineErrorClass.ContextLengthExceeded"/>,
    /// <see cref="EngineErrorClass.Cancelled"/> when the model is unloaded, or what the context throws.
    /// </exception>
    public async Task<Embedding> EmbedAsync(int[] tokens)
    {
        var wish = new Wish(tokens);
        lock (gate)
            loop ??= Task.Factory.StartNew(
                Run,
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default
            );
        if (!wishes.Writer.TryWrite(wish))
            throw wishes.Reader.Completion.IsCompleted
                ? Unloaded()
                : new EngineException(EngineErrorClass.QueueFull, "Too many texts wait for their vectors.");
        return new Embedding(await wish.Vector.Task, tokens.Length);
    }

    public async ValueTask DisposeAsync()
    {
        isClosing = true;
        wishes.Writer.TryComplete();
        Task? running;
        lock (gate)
            running = loop;
        if (running is not null)
            await running;
    }

    /// <summary>Never faults: what goes wrong is told to those who wait.</summary>
    private void Run()
    {
        EmbeddingContext? context = null;
        try
        {
            while (wishes.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                var batch = new List<Wish>();
                try
                {
                    if (isClosing)
                        throw Unloaded();
                    context ??= open();
                    Gather(batch, context.Tokens);
                    Answer(batch, context.Compute([.. batch.Select(wish => wish.Tokens)]));
                }
                catch (EngineException failure)
                {
                    if (batch.Count == 0 && wishes.Reader.TryRead(out var first))
                        batch.Add(first);
                    batch.ForEach(wish => wish.Vector.TrySetException(failure));
                }
            }
        }
        finally
        {
            context?.Dispose();
        }
    }

    private void Gather(List<Wish> batch, int room)
    {
        while (batch.Count < EmbeddingContext.MostTexts && wishes.Reader.TryPeek(out var next))
        {
            if (next.Tokens.Length > room && batch.Count > 0)
                return;
            wishes.Reader.TryRead(out next);
            if (next!.Tokens.Length > room)
            {
                next.Vector.TrySetException(TooLong(next.Tokens.Length, room));
                continue;
            }
            room -= next.Tokens.Length;
            batch.Add(next);
        }
    }

    private static void Answer(List<Wish> batch, byte[][] vectors)
    {
        for (var i = 0; i < batch.Count; i++)
            batch[i].Vector.TrySetResult(vectors[i]);
    }

    private static EngineException TooLong(int tokens, int most) =>
        new(
            EngineErrorClass.ContextLengthExceeded,
            $"The text has {tokens} tokens; for a vector it may have {most}.",
            tokens,
            most
        );

    private static EngineException Unloaded() => new(EngineErrorClass.Cancelled, "The model is being unloaded.");

    private sealed record Wish(int[] Tokens)
    {
        public TaskCompletionSource<byte[]> Vector { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
