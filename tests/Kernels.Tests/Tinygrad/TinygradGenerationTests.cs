using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Kernels.Tests.Tinygrad;

/// <summary>The tinygrad engine through its worker, beside llama.cpp's.</summary>
public sealed class TinygradGenerationTests(TinygradWorker tinygrad, StoriesWorker llama)
    : IClassFixture<TinygradWorker>,
        IClassFixture<StoriesWorker>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private WorkerClient Client => tinygrad.Client;

    [Fact]
    public async Task The_golden_text_is_reproduced_token_for_token()
    {
        await Client.AssertGoldenAsync(Token);
        Assert.True(tinygrad.Model.Exact);
    }

    [Fact]
    public async Task Greedy_tokens_are_those_of_llama_cpp()
    {
        string[] openings =
        [
            "Once",
            "Tom had a dog.",
            "The big red ball was",
            "\"Mom!\" Lily said.",
            Stories.Golden[..200],
        ];
        foreach (var opening in openings)
        {
            var request = Stories.Continue(opening, new GenerationOptions(MaxTokens: 100));
            var (ours, theirs) = (
                await Client.CompleteAsync(request, Token),
                await llama.Client.CompleteAsync(request, Token)
            );
            Assert.Equal(theirs.Ids, ours.Ids);
            Assert.Equal(theirs.Text, ours.Text);
            Assert.Equal(theirs.Last, ours.Last);
        }
    }

    [Fact]
    public async Task Sequences_decoded_together_are_equal_to_the_same_ones_alone()
    {
        var requests = Enumerable
            .Range(0, 12)
            .Select(i =>
                Stories.Continue(
                    Stories.Golden[..(3 * i)],
                    new GenerationOptions(20 + (5 * i), i % 2 * 0.9, TopP: 0.95, TopK: i % 3 * 40, Seed: (ulong)i)
                )
            )
            .ToArray();
        var alone = new List<Completion>();
        foreach (var request in requests)
            alone.Add(await Client.CompleteAsync(request, Token));

        var together = await Task.WhenAll(requests.Select(request => Client.CompleteAsync(request, Token)));

        Assert.All(alone.Zip(together), pair => Assert.Equal(pair.First.Ids, pair.Second.Ids));
        Assert.All(alone.Zip(together), pair => Assert.Equal(pair.First.Text, pair.Second.Text));
    }

    [Fact]
    public async Task A_text_ends_before_its_stop_string()
    {
        var options = new GenerationOptions(MaxTokens: 100) { StopStrings = ["named Lily"] };

        var completion = await Client.CompleteAsync(Stories.Continue("", options), Token);

        Assert.Equal(Stories.Golden[..Stories.Golden.IndexOf("named Lily", StringComparison.Ordinal)], completion.Text);
        Assert.Equal(FinishReason.Stop, completion.Last.FinishReason);
    }

    [Fact]
    public async Task Cancelled_streams_give_their_slots_back()
    {
        for (var i = 0; i < tinygrad.Model.Slots + 1; i++)
        {
            using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Token);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                await foreach (var token in Client.GenerateAsync(Stories.Continue(""), cancelling.Token))
                {
                    if (token.Index == 1)
                        await cancelling.CancelAsync();
                }
            });
        }

        var next = await Client.CompleteAsync(Stories.Continue("", new GenerationOptions(MaxTokens: 10)), Token);

        Assert.Equal(Stories.GoldenIds, next.Ids);
    }

    [Fact]
    public async Task A_prompt_beyond_the_context_and_a_chat_are_refused_by_name()
    {
        var context = tinygrad.Model.ContextTokens;
        var tooLong = new GenerateRequest(
            Stories.Hash,
            new TokenPrompt([.. Enumerable.Repeat(5, context)]),
            new GenerationOptions()
        );
        var chat = new GenerateRequest(
            Stories.Hash,
            new ChatPrompt([new ChatMessage("user", "Hello")]),
            new GenerationOptions()
        );

        var first = await Assert.ThrowsAsync<EngineException>(() => Client.CompleteAsync(tooLong, Token));
        var second = await Assert.ThrowsAsync<EngineException>(() => Client.CompleteAsync(chat, Token));

        Assert.Equal(EngineErrorClass.ContextLengthExceeded, first.ErrorClass);
        Assert.Equal(((long?)context, (long?)context - 1), (first.Actual, first.Limit));
        Assert.Equal(EngineErrorClass.ModelHasNoChatTemplate, second.ErrorClass);
    }

    [Fact]
    public async Task The_self_test_passes_on_values_that_are_not_zero()
    {
        var report = await Client.SelfTestAsync(Token);

        Assert.True(report.Passed, report.Text);
        Assert.True(report.Checks > 100);
    }
}
