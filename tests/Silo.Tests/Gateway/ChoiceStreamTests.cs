using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Silo.Gateway;
using EgpuFleet.Silo.Gateway.OpenAi;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Several answers to one request, merged.</summary>
public sealed class ChoiceStreamTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    public async Task Every_answer_comes_whole_and_in_order(int count)
    {
        var gathered = new ChoiceGatherer(prompts: 1, count, withText: true);
        await foreach (var piece in ChoiceStreams.RunAsync(count, SayAsync, Token))
            gathered.Add(piece);

        Assert.Equal(Enumerable.Range(0, count).Select(i => $"{i}a{i}b{i}c"), gathered.Whole().Select(one => one.Text));
        Assert.Equal(Usage.Of(7, 3 * count), gathered.Usage);
    }

    [Fact]
    public async Task The_others_begin_when_the_first_has_spoken_and_few_run_at_once()
    {
        var spoken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var (running, most, early) = (0, 0, 0);

        async IAsyncEnumerable<TokenChunk> Run(int choice, [EnumeratorCancellation] CancellationToken token)
        {
            if (choice > 0 && !spoken.Task.IsCompleted)
                Interlocked.Increment(ref early);
            var now = Interlocked.Increment(ref running);
            InterlockedMax(ref most, now);
            await foreach (var chunk in SayAsync(choice, token))
            {
                if (choice == 0)
                    spoken.TrySetResult();
                yield return chunk;
            }
            Interlocked.Decrement(ref running);
        }

        await foreach (var _ in ChoiceStreams.RunAsync(20, Run, Token)) { }

        Assert.Equal(0, early);
        Assert.InRange(most, 1, Limits.ChoicesAtOnce);
    }

    [Fact]
    public async Task The_first_failure_ends_them_all_and_is_told()
    {
        var ended = new List<int>();

        async IAsyncEnumerable<TokenChunk> Run(int choice, [EnumeratorCancellation] CancellationToken token)
        {
            try
            {
                yield return new TokenChunk(0, "a", null, 0, 0);
                if (choice == 2)
                    throw new GenerationException("worker_lost", "It is gone.", retryable: true);
                await Task.Delay(Timeout.InfiniteTimeSpan, token);
            }
            finally
            {
                lock (ended)
                    ended.Add(choice);
            }
        }

        var failure = await Assert.ThrowsAsync<GenerationException>(async () =>
        {
            await foreach (var _ in ChoiceStreams.RunAsync(3, Run, Token)) { }
        });
        Assert.Equal("worker_lost", failure.Code);
        Assert.Equal([0, 1, 2], ended.Order());
    }

    [Fact]
    public async Task Who_leaves_ends_them_all()
    {
        var open = 0;

        async IAsyncEnumerable<TokenChunk> Run(int choice, [EnumeratorCancellation] CancellationToken token)
        {
            Interlocked.Increment(ref open);
            try
            {
                for (var i = 0; ; i++)
                {
                    yield return new TokenChunk(i, "a", null, 0, 0);
                    await Task.Yield();
                    token.ThrowIfCancellationRequested();
                }
            }
            finally
            {
                Interlocked.Decrement(ref open);
            }
        }

        await foreach (var piece in ChoiceStreams.RunAsync(3, Run, Token))
        {
            if (piece.Choice > 0)
                break;
        }

        Assert.Equal(0, open);
    }

    [Fact]
    public void A_prompt_counts_once_however_many_answers_it_has()
    {
        var gathered = new ChoiceGatherer(prompts: 2, perPrompt: 2, withText: false);
        foreach (var (choice, prompt) in new[] { (0, 10), (1, 10), (2, 300), (3, 300) })
            gathered.Add(new ChoiceChunk(choice, new TokenChunk(0, "", "stop", prompt, choice)));

        Assert.Equal(Usage.Of(310, 6), gathered.Usage);
    }

    [Fact]
    public void An_answer_without_an_end_is_a_failure()
    {
        var gathered = new ChoiceGatherer(prompts: 2, perPrompt: 1, withText: true);
        gathered.Add(new ChoiceChunk(0, new TokenChunk(0, "a", "stop", 1, 1)));
        gathered.Add(new ChoiceChunk(1, new TokenChunk(0, "b", null, 0, 0)));

        Assert.Throws<GatewayException>(gathered.RequireEnds);
        Assert.Throws<GatewayException>(gathered.Whole);
    }

    private static async IAsyncEnumerable<TokenChunk> SayAsync(
        int choice,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        string[] pieces = ["a", "b", "c"];
        for (var i = 0; i < pieces.Length; i++)
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            var isLast = i == pieces.Length - 1;
            yield return new TokenChunk(
                i,
                $"{choice}{pieces[i]}",
                isLast ? "stop" : null,
                isLast ? 7 : 0,
                isLast ? 3 : 0
            );
        }
    }

    private static void InterlockedMax(ref int most, int now)
    {
        for (var seen = most; now > seen; )
        {
            var before = Interlocked.CompareExchange(ref most, now, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}
