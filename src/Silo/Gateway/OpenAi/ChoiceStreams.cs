using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>
/// Runs the answers to one request, a few at a time, and merges their pieces as they come. The others begin when the first has
/// spoken: by then a device has the model and has read the prompt, which the others share.
/// </summary>
public static class ChoiceStreams
{
    /// <param name="count">Answers.</param>
    /// <param name="run">The pieces of one of them.</param>
    /// <param name="cancellationToken">Ends them all, as leaving the stream does, and as the first failure does.</param>
    public static async IAsyncEnumerable<ChoiceChunk> RunAsync(
        int count,
        Func<int, CancellationToken, IAsyncEnumerable<TokenChunk>> run,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(run);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var first = run(0, leaving.Token).GetAsyncEnumerator(leaving.Token);
        var more = await first.MoveNextAsync();
        if (count == 1)
        {
            for (; more; more = await first.MoveNextAsync())
                yield return new ChoiceChunk(0, first.Current);
            yield break;
        }
        var merged = Channel.CreateBounded<ChoiceChunk>(Limits.ChoicesAtOnce);
        var work = Task.CompletedTask;
        try
        {
            if (more)
                yield return new ChoiceChunk(0, first.Current);
            work = MergeAsync(merged.Writer, count, Of, leaving);
            await foreach (var piece in merged.Reader.ReadAllAsync(CancellationToken.None))
                yield return piece;
        }
        finally
        {
            await leaving.CancelAsync();
            await work;
        }

        IAsyncEnumerator<TokenChunk> Of(int choice, CancellationToken token) =>
            choice == 0 ? first : run(choice, token).GetAsyncEnumerator(token);
    }

    /// <summary>Never faults: the first failure completes the channel.</summary>
    private static async Task MergeAsync(
        ChannelWriter<ChoiceChunk> merged,
        int count,
        Func<int, CancellationToken, IAsyncEnumerator<TokenChunk>> run,
        CancellationTokenSource leaving
    )
    {
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = Limits.ChoicesAtOnce,
            CancellationToken = leaving.Token,
        };
        try
        {
            await Parallel.ForAsync(
                0,
                count,
                options,
                async (choice, _) =>
                {
                    try
                    {
                        await using var chunks = run(choice, leaving.Token);
                        while (await chunks.MoveNextAsync())
                            await merged.WriteAsync(new ChoiceChunk(choice, chunks.Current), leaving.Token);
                    }
                    catch (Exception e)
                    {
                        // The first failure is the one to tell; the others follow from the end that it brings.
                        merged.TryComplete(e);
                        await leaving.CancelAsync();
                    }
                }
            );
            merged.TryComplete();
        }
        catch (OperationCanceledException e)
        {
            merged.TryComplete(e);
        }
    }
}
