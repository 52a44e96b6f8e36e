using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Kernels.Tests.Contract;

/// <summary>What every engine refuses, and by which class.</summary>
public abstract class RefusalContract(StoriesWorker stories)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private WorkerClient Client => stories.Client;

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
            new GenerationOptions { TopLogProbs = -1 },
            new GenerationOptions { TopLogProbs = Limits.TopLogProbs + 1 },
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
