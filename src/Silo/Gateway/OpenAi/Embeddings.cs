using System.Net;
using System.Runtime.InteropServices;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary><c>POST /v1/embeddings</c>.</summary>
public sealed class Embeddings(Generations generations, ModelLookup models)
{
    public async Task HandleAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        EmbeddingRequest request;
        using (var document = await RequestFields.ReadAsync(context.Request))
            request = EmbeddingRequest.Read(document.RootElement);
        var model = await models.RequireAsync(request.Model, HttpStatusCode.NotFound);
        var vectors = generations.EmbedAsync(
            model,
            new EmbedRequest($"emb-{Guid.NewGuid():N}", model.Ref, request.Texts),
            PlacementHeader.Read(context.Request),
            placement => PlacementHeader.Write(context.Response, placement),
            context.RequestAborted
        );
        var data = new List<EmbeddingAnswer>(request.Texts.Length);
        var tokens = 0;
        await foreach (var vector in vectors.WithCancellation(context.RequestAborted))
        {
            tokens += vector.Tokens;
            data.Add(new EmbeddingAnswer("embedding", vector.Index, Shown(vector.Vector, request)));
        }
        if (data.Count != request.Texts.Length)
            throw GatewayException.Unavailable("stream_broken", "Some vectors did not come; send the request again.");
        var answer = new EmbeddingsAnswer("list", data, request.Model, new EmbeddingUsage(tokens, tokens));
        await context.Response.WriteAsJsonAsync(answer, OpenAiJson.Options, context.RequestAborted);
    }

    private static object Shown(byte[] vector, EmbeddingRequest request)
    {
        var values = MemoryMarshal.Cast<byte, float>(vector);
        if (request.Dimensions > values.Length)
            throw RequestFields.Wrong("dimensions", $"must be at most {values.Length}, which the model makes");
        var shown = request.Dimensions is { } wanted ? Shortened(values[..wanted]) : values.ToArray();
        return request.IsBase64 ? Convert.ToBase64String(MemoryMarshal.AsBytes(shown.AsSpan())) : shown;
    }

    /// <summary>The first numbers of a vector, made of length 1 again.</summary>
    private static float[] Shortened(ReadOnlySpan<float> values)
    {
        var sum = 0d;
        foreach (var value in values)
            sum += (double)value * value;
        var length = sum == 0 ? 1 : Math.Sqrt(sum);
        var shown = values.ToArray();
        for (var i = 0; i < shown.Length; i++)
            shown[i] = (float)(shown[i] / length);
        return shown;
    }
}

/// <summary>The vectors of a request, in the order of its texts.</summary>
public sealed record EmbeddingsAnswer(
    string Object,
    IReadOnlyList<EmbeddingAnswer> Data,
    string Model,
    EmbeddingUsage Usage
);

/// <param name="Embedding">A list of numbers, or base64.</param>
public sealed record EmbeddingAnswer(string Object, int Index, object Embedding);

public sealed record EmbeddingUsage(int PromptTokens, int TotalTokens);
