using System.ClientModel;
using System.Net.Http.Json;
using System.Text.Json;
using OpenAI;
using OpenAI.Embeddings;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>The official .NET SDK, which asks for base64, and plain HTTP, which gets numbers.</summary>
public sealed class EmbeddingTests(SharedFleet shared)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_sdk_gets_a_vector_of_each_text_in_order()
    {
        string[] texts = [.. Enumerable.Range(0, 70).Select(number => $"A machine with {number} fans.")];
        var many = (await Client().GenerateEmbeddingsAsync(texts, cancellationToken: Token)).Value;
        var one = (await Client().GenerateEmbeddingAsync(texts[69], cancellationToken: Token)).Value;

        Assert.Equal(Enumerable.Range(0, 70), many.Select(vector => vector.Index));
        Assert.True(many.Usage.InputTokenCount > 70);
        Assert.Equal(1, Dot(one.ToFloats(), one.ToFloats()), 1e-4);
        Assert.True(Dot(one.ToFloats(), many[69].ToFloats()) > 0.999);
        Assert.True(Dot(one.ToFloats(), many[69].ToFloats()) > Dot(one.ToFloats(), many[0].ToFloats()));
    }

    [Fact]
    public async Task Fewer_dimensions_are_the_first_of_them_made_of_length_one()
    {
        var whole = (await Client().GenerateEmbeddingAsync("Fans", cancellationToken: Token)).Value.ToFloats();
        var options = new EmbeddingGenerationOptions { Dimensions = 8 };
        var few = (await Client().GenerateEmbeddingAsync("Fans", options, Token)).Value.ToFloats();
        Assert.Equal(8, few.Length);
        Assert.Equal(1, Dot(few, few), 1e-4);
        Assert.Equal(1, Dot(few, whole[..8]) / Math.Sqrt(Dot(whole[..8], whole[..8])), 1e-4);

        options.Dimensions = whole.Length + 1;
        var refused = await Assert.ThrowsAsync<ClientResultException>(() =>
            Client().GenerateEmbeddingAsync("Fans", options, Token)
        );
        Assert.Equal(400, refused.Status);
    }

    [Fact]
    public async Task Numbers_are_those_of_base64_and_a_text_too_long_is_refused()
    {
        var vector = (await Client().GenerateEmbeddingAsync("Fans", cancellationToken: Token)).Value.ToFloats();
        using var numbers = await PostAsync(new { model = SharedFleet.SampleModel, input = new[] { "Fans" } });
        using var body = await JsonDocument.ParseAsync(await numbers.Content.ReadAsStreamAsync(Token), default, Token);
        var told = body.RootElement.GetProperty("data")[0].GetProperty("embedding").EnumerateArray();
        Assert.Equal(vector.ToArray(), told.Select(number => number.GetSingle()));

        using var refused = await PostAsync(
            new { model = SharedFleet.SampleModel, input = string.Concat(Enumerable.Repeat("fan ", 5000)) }
        );
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains(
            "context_length_exceeded",
            await refused.Content.ReadAsStringAsync(Token),
            StringComparison.Ordinal
        );
    }

    private Task<HttpResponseMessage> PostAsync(object body) =>
        shared.Fleet.Http.PostAsJsonAsync("/v1/embeddings", body, Token);

    private static double Dot(ReadOnlyMemory<float> one, ReadOnlyMemory<float> other) =>
        one.ToArray().Zip(other.ToArray()).Sum(pair => (double)pair.First * pair.Second);

    private EmbeddingClient Client() =>
        new OpenAIClient(
            new ApiKeyCredential("unused"),
            new OpenAIClientOptions { Endpoint = new Uri(shared.Fleet.Http.BaseAddress!, "/v1") }
        ).GetEmbeddingClient(SharedFleet.SampleModel);
}
