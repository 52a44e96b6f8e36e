using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Tests.Models;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Kernels.Tests.Tinygrad;

/// <summary>The same F32 weights in both engines under the exact profile: the same greedy tokens, whatever the architecture.</summary>
public sealed class TinygradParityTests(EnginePair engines) : IClassFixture<EnginePair>
{
    private const int Tokens = 100;
    private const int Slots = 2;

    /// <summary>So many different ones at least among the tokens of a text: equal texts that say one thing prove little.</summary>
    private const int DifferentTokens = 20;

    /// <summary>Of the log-probabilities of the most likely tokens: sums of floats in another order.</summary>
    private const double Tolerance = 1e-3;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("qwen35")]
    public async Task Greedy_tokens_of_an_architecture_are_those_of_llama_cpp(string architecture)
    {
        _ = engines.Tinygrad;
        var shape = new SyntheticShape(architecture);
        // llama.cpp computes the width of a qwen2 head from the others.
        if (architecture == "qwen2")
            shape = shape with { HeadWidth = shape.Width / shape.Heads, RotatedWidth = shape.Width / shape.Heads };
        using var model = new TemporaryModel(new SyntheticModel(shape));
        var spec = model.Spec(Slots, exact: true);
        // Of one token, of less than a chunk, and of several chunks of either size.
        var prompts = Prompts.Of(1, 3, 9, 40, 120).Select(prompt => new TokenPrompt(prompt));

        var texts = await AgreeAsync(spec, prompts);

        Assert.All(texts, text => Assert.Equal(Tokens, text.Tokens.Count));
        Assert.All(texts, text => Assert.True(text.Ids.Distinct().Count() > DifferentTokens));
    }

    [Fact]
    public async Task Greedy_tokens_of_the_reference_model_are_those_of_llama_cpp()
    {
        _ = engines.Tinygrad;
        string[] openings =
        [
            "Once",
            "Tom had a dog.",
            "The big red ball was",
            "\"Mom!\" Lily said.",
            Stories.Golden[..200],
        ];
        await AgreeAsync(
            new LoadSpec(Stories.ModelPath, Stories.Hash, Threads: 1, Slots: Slots),
            openings.Select(opening => new TextPrompt(opening))
        );
    }

    /// <summary>Loads a model in both, lets both continue the prompts, several at once, compares, and gives what they said.</summary>
    private async Task<Completion[]> AgreeAsync(LoadSpec spec, IEnumerable<Prompt> prompts)
    {
        var options = new GenerationOptions(Tokens) { TopLogProbs = Limits.TopLogProbs };
        var requests = prompts.Select(prompt => new GenerateRequest(spec.ContentHash, prompt, options)).ToArray();
        var both = new List<Completion[]>();
        foreach (var client in new[] { engines.Tinygrad, engines.Llama })
        {
            Assert.True((await client.LoadAsync(spec, Token)).Exact);
            both.Add(await Task.WhenAll(requests.Select(request => client.CompleteAsync(request, Token))));
            await client.UnloadAsync(spec.ContentHash, Token);
        }
        foreach (var (ours, theirs) in both[0].Zip(both[1]))
        {
            Assert.Equal(theirs.Ids, ours.Ids);
            Assert.Equal(theirs.Text, ours.Text);
            Assert.Equal(theirs.Last.FinishReason, ours.Last.FinishReason);
            Assert.Equal(theirs.Last.Usage, ours.Last.Usage);
            var difference = theirs
                .Tokens.Zip(ours.Tokens)
                .Max(pair => pair.First.LogProbs!.Difference(pair.Second.LogProbs!));
            Assert.True(difference <= Tolerance, $"The log-probabilities differ by {difference}.");
        }
        return both[1];
    }
}
