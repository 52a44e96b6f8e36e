using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>Vectors of texts from a real worker.</summary>
public sealed class EmbeddingTests(StoriesWorker stories) : IClassFixture<StoriesWorker>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private WorkerClient Client => stories.Client;

    [Fact]
    public async Task A_text_has_one_vector_alone_and_among_many()
    {
        string[] texts = [.. Enumerable.Range(0, 100).Select(number => $"Once upon a time there were {number} dogs.")];
        var alone = await VectorAsync(texts[7]);
        var many = await Task.WhenAll(texts.Select(VectorAsync));

        Assert.Equal(1, Length(alone), 1e-5);
        Assert.True(Cosine(alone, many[7]) > 0.9999, $"{Cosine(alone, many[7])}");
        Assert.All(many, vector => Assert.Equal(alone.Length, vector.Length));
        Assert.All(many.Skip(8), vector => Assert.NotEqual(many[7], vector));
    }

    [Fact]
    public async Task Texts_of_one_meaning_are_nearer_than_others()
    {
        var dog = await VectorAsync("Once upon a time, there was a little dog named Max. Max liked to run.");
        var puppy = await VectorAsync("One day, a little dog named Max liked to play and run.");
        var rain = await VectorAsync("it, it, it, it said. the the the!");
        Assert.True(Cosine(dog, puppy) > Cosine(dog, rain));
    }

    [Fact]
    public async Task Vectors_and_texts_are_made_beside_each_other()
    {
        var made = Task.WhenAll(Enumerable.Range(0, 40).Select(number => VectorAsync($"Tom saw {number} cats.")));
        await Client.AssertGoldenAsync(Token);
        Assert.Equal(40, (await made).Length);
    }

    [Fact]
    public async Task What_is_too_long_is_refused_and_the_others_are_not()
    {
        var words = string.Concat(Enumerable.Repeat("Lily and Tom ", 400));
        var tooLong = Assert.ThrowsAsync<EngineException>(() => VectorAsync(words));
        var other = VectorAsync("Lily");
        Assert.Equal(EngineErrorClass.ContextLengthExceeded, (await tooLong).ErrorClass);
        Assert.Equal(1, Length(await other), 1e-5);
        var wrong = await Assert.ThrowsAsync<EngineException>(() =>
            Client.EmbedAsync(Stories.Hash, new TokenPrompt([int.MaxValue]), Token)
        );
        Assert.Equal(EngineErrorClass.InvalidRequest, wrong.ErrorClass);
        var chat = new ChatPrompt([new ChatMessage("user", "Hi")]);
        wrong = await Assert.ThrowsAsync<EngineException>(() => Client.EmbedAsync(Stories.Hash, chat, Token));
        Assert.Equal(EngineErrorClass.InvalidRequest, wrong.ErrorClass);
    }

    private async Task<float[]> VectorAsync(string text)
    {
        var embedding = await Client.EmbedAsync(Stories.Hash, new TextPrompt(text), Token);
        Assert.True(embedding.Tokens > 1);
        return MemoryMarshal.Cast<byte, float>(embedding.Vector).ToArray();
    }

    private static double Length(float[] vector) => Math.Sqrt(Cosine(vector, vector));

    private static double Cosine(float[] one, float[] other) =>
        one.Zip(other).Sum(pair => (double)pair.First * pair.Second);
}
