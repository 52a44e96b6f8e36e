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

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("qwen35")]
    public async Task Greedy_tokens_of_an_architecture_are_those_of_llama_cpp(string architecture)
    {
        var tinygrad = engines.Tinygrad;
        var shape = new SyntheticShape(architecture);
        // llama.cpp computes the width of a qwen2 head from the others.
        if (architecture == "qwen2")
            shape = shape with { HeadWidth = shape.Width / shape.Heads, RotatedWidth = shape.Width / shape.Heads };
        using var model = new TemporaryModel(new SyntheticModel(shape));
        var spec = model.Spec(Slots, exact: true);
        Assert.Equal(architecture, (await tinygrad.LoadAsync(spec, Token)).Architecture);
        Assert.Equal(architecture, (await engines.Llama.LoadAsync(spec, Token)).Architecture);

        // Of one token, of less than a chunk, and of several chunks of either size.
        var requests = Prompts
            .Of(1, 3, 9, 40, 120)
            .Select(prompt => model.Continue(prompt, new GenerationOptions(Tokens)))
            .ToArray();
        var ours = await Task.WhenAll(requests.Select(request => tinygrad.CompleteAsync(request, Token)));
        var theirs = await Task.WhenAll(requests.Select(request => engines.Llama.CompleteAsync(request, Token)));

        Assert.All(theirs, text => Assert.Equal(Tokens, text.Tokens.Count));
        Assert.All(theirs, text => Assert.True(text.Ids.Distinct().Count() > DifferentTokens));
        Assert.All(
            ours.Zip(theirs),
            pair =>
            {
                Assert.Equal(pair.Second.Ids, pair.First.Ids);
                Assert.Equal(pair.Second.Text, pair.First.Text);
                Assert.Equal(pair.Second.Last, pair.First.Last);
            }
        );
        await tinygrad.UnloadAsync(model.Hash, Token);
        await engines.Llama.UnloadAsync(model.Hash, Token);
    }
}
