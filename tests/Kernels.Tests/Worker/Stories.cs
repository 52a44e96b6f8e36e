using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.TestKit;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>The reference model of <c>../shared/models</c> and its published text.</summary>
internal static class Stories
{
    /// <summary>Stands for the file's SHA-256 where a test does not care.</summary>
    public static readonly string Hash = new('5', 64);

    /// <summary>What follows BOS at temperature 0. Its last word is the 200th token, counted from the first after BOS.</summary>
    public const string Golden =
        "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a "
        + "big, red ball. She wanted to play with it, but it was too high.\nLily's mom said, \"Lily, let's go to the park.\" "
        + "Lily was sad and didn't know what to do. She said, \"I want to play with your ball, but I can't find it.\"\nLily "
        + "was sad and didn't know what to do. She said, \"I'm sorry, Lily. I didn't know what to do.\"\nLily didn't want to "
        + "help her mom, so she";

    public const int GoldenTokens = 200;

    public static readonly int[] GoldenIds = [403, 407, 261, 378, 432, 383, 286, 261, 376, 298];

    /// <summary>Why the model is not there; null where it is.</summary>
    public static string? Missing =>
        RepositoryPaths.Shared is null ? "../shared with the reference model is not beside the checkout" : null;

    /// <summary>Where the model is; skips the test where it is not.</summary>
    public static string ModelPath
    {
        get
        {
            Assert.SkipWhen(Missing is not null, Missing ?? "");
            return Path.Combine(RepositoryPaths.Shared!, "models", "stories260K", "stories260K.gguf");
        }
    }

    public static Task<ModelInfo> LoadStoriesAsync(
        this WorkerClient client,
        CancellationToken cancellationToken,
        int slots = 8
    ) => client.LoadAsync(new LoadSpec(ModelPath, Hash, Threads: 1, Slots: slots), cancellationToken);

    public static GenerateRequest Continue(string text, GenerationOptions? options = null) =>
        new(Hash, new TextPrompt(text), options ?? new GenerationOptions());

    /// <summary>The published text comes out of the model, token for token, with its usage.</summary>
    public static async Task AssertGoldenAsync(this WorkerClient client, CancellationToken cancellationToken)
    {
        var options = new GenerationOptions(MaxTokens: GoldenTokens);
        var completion = await client.CompleteAsync(Continue("", options), cancellationToken);

        Assert.Equal(Golden, completion.Text);
        Assert.Equal(GoldenIds, completion.Ids.Take(GoldenIds.Length));
        Assert.Equal(Enumerable.Range(0, GoldenTokens), completion.Tokens.Select(token => token.Index));
        Assert.Equal(FinishReason.Length, completion.Last.FinishReason);
        Assert.Equal(new GenerationUsage(1, GoldenTokens), completion.Last.Usage);
    }

    public static async Task<Completion> CompleteAsync(
        this WorkerClient client,
        GenerateRequest request,
        CancellationToken cancellationToken
    )
    {
        var tokens = new List<GeneratedToken>();
        await foreach (var token in client.GenerateAsync(request, cancellationToken))
            tokens.Add(token);
        return new Completion(tokens);
    }
}

/// <summary>A whole stream.</summary>
internal sealed record Completion(IReadOnlyList<GeneratedToken> Tokens)
{
    public string Text => string.Concat(Tokens.Select(token => token.Text));

    public IEnumerable<int> Ids => Tokens.Select(token => token.TokenId);

    public GeneratedToken Last => Tokens[^1];
}
