using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Tests.Worker;

public sealed class GenerationTests(StoriesWorker stories) : IClassFixture<StoriesWorker>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private WorkerClient Client => stories.Client;

    [Fact]
    public async Task The_golden_text_is_reproduced_token_for_token()
    {
        await Client.AssertGoldenAsync(Token);
        Assert.True(stories.Model.Exact);
    }

    [Fact]
    public async Task An_empty_text_no_token_ids_and_the_bos_token_are_the_same_prompt()
    {
        var options = new GenerationOptions(MaxTokens: 20);
        Prompt[] prompts = [new TextPrompt(""), new TokenPrompt([]), new TokenPrompt([1])];
        var texts = new HashSet<string>();
        foreach (var prompt in prompts)
            texts.Add((await Client.CompleteAsync(new GenerateRequest(Stories.Hash, prompt, options), Token)).Text);
        Assert.StartsWith("Once upon a time", Assert.Single(texts), StringComparison.Ordinal);
    }

    /// <summary>Prompts of different length, over one chunk too, greedy and sampled, more than there are slots.</summary>
    [Fact]
    public async Task Sequences_decoded_together_are_equal_to_the_same_ones_alone()
    {
        string[] openings = ["", "Once", "Tom had a dog.", "The big red ball was", Stories.Golden[..300]];
        var requests = Enumerable
            .Range(0, 16)
            .Select(i =>
            {
                var temperature = i % 2 == 0 ? 0 : 0.9;
                var options = new GenerationOptions(
                    60 + (7 * i),
                    temperature,
                    TopP: 0.95,
                    TopK: i % 3 * 40,
                    Seed: (ulong)i
                );
                return Stories.Continue(openings[i % openings.Length], options);
            })
            .ToArray();

        var alone = new List<Completion>();
        foreach (var request in requests)
            alone.Add(await Client.CompleteAsync(request, Token));
        var together = await Task.WhenAll(requests.Select(request => Client.CompleteAsync(request, Token)));

        for (var i = 0; i < requests.Length; i++)
            Assert.Equal(alone[i].Tokens, together[i].Tokens);
        Assert.True(alone.Select(completion => completion.Text).Distinct(StringComparer.Ordinal).Count() > 8);
    }

    [Fact]
    public async Task Another_seed_gives_another_text()
    {
        var options = new GenerationOptions(MaxTokens: 40, Temperature: 1, Seed: 1);
        var one = await Client.CompleteAsync(Stories.Continue("", options), Token);
        var two = await Client.CompleteAsync(Stories.Continue("", options with { Seed = 2 }), Token);
        Assert.NotEqual(one.Text, two.Text);
    }

    [Fact]
    public async Task The_text_ends_before_the_first_stop_string()
    {
        var options = new GenerationOptions(MaxTokens: Stories.GoldenTokens)
        {
            StopStrings = ["red ball", "never said"],
        };
        var completion = await Client.CompleteAsync(Stories.Continue("", options), Token);
        var end = Stories.Golden.IndexOf("red ball", StringComparison.Ordinal);
        Assert.Equal(Stories.Golden[..end], completion.Text);
        Assert.Equal(FinishReason.Stop, completion.Last.FinishReason);
        Assert.True(completion.Last.Usage!.CompletionTokens < Stories.GoldenTokens);
    }

    [Fact]
    public async Task Without_max_tokens_a_text_ends_with_the_context_at_the_latest()
    {
        var completion = await Client.CompleteAsync(Stories.Continue(""), Token);
        var usage = completion.Last.Usage!;
        Assert.InRange(usage.PromptTokens + usage.CompletionTokens, 2, stories.Model.ContextTokens);
        Assert.StartsWith(Stories.Golden, completion.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prompt_longer_than_the_context_is_refused_with_both_numbers()
    {
        var prompt = new TokenPrompt([.. Enumerable.Repeat(300, 600)]);
        var request = new GenerateRequest(Stories.Hash, prompt, new GenerationOptions());
        var exception = await Refused(request);
        Assert.Equal(EngineErrorClass.ContextLengthExceeded, exception.ErrorClass);
        Assert.Equal(600, exception.Actual);
        Assert.Equal(stories.Model.ContextTokens - 1, exception.Limit);
        Assert.False(exception.Retryable);
    }

    [Fact]
    public async Task Chat_with_a_model_without_a_template_is_refused()
    {
        var chat = new ChatPrompt([new ChatMessage("user", "Hello!")]);
        var exception = await Refused(new GenerateRequest(Stories.Hash, chat, new GenerationOptions()));
        Assert.Equal(EngineErrorClass.ModelHasNoChatTemplate, exception.ErrorClass);
        Assert.False(stories.Model.HasChatTemplate);
    }

    public static TheoryData<GenerationOptions> BadOptions =>
        [
            new GenerationOptions(MaxTokens: 0),
            new GenerationOptions(Temperature: -1),
            new GenerationOptions(Temperature: double.MaxValue),
            new GenerationOptions(TopP: 0),
            new GenerationOptions(TopK: -1),
            new GenerationOptions { StopStrings = [""] },
            new GenerationOptions { StopStrings = [.. Enumerable.Repeat("x", 17)] },
        ];

    [Theory]
    [MemberData(nameof(BadOptions))]
    public async Task Options_out_of_range_are_refused(GenerationOptions options) =>
        Assert.Equal(EngineErrorClass.InvalidRequest, (await Refused(Stories.Continue("a", options))).ErrorClass);

    [Theory]
    [InlineData(-1)]
    [InlineData(512)]
    [InlineData(int.MaxValue)]
    public async Task Token_ids_out_of_the_vocabulary_are_refused(int id)
    {
        var request = new GenerateRequest(Stories.Hash, new TokenPrompt([1, id]), new GenerationOptions());
        Assert.Equal(EngineErrorClass.InvalidRequest, (await Refused(request)).ErrorClass);
    }

    [Fact]
    public async Task A_model_that_is_not_loaded_is_refused()
    {
        var request = Stories.Continue("a") with { ContentHash = new string('0', 64) };
        Assert.Equal(EngineErrorClass.ModelNotLoaded, (await Refused(request)).ErrorClass);
    }

    private async Task<EngineException> Refused(GenerateRequest request) =>
        await Assert.ThrowsAsync<EngineException>(() => Client.CompleteAsync(request, Token));
}
