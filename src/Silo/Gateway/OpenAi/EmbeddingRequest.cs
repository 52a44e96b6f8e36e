using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>A request for embeddings, checked.</summary>
/// <param name="Dimensions">Numbers of each vector; null: all that the model makes.</param>
/// <param name="IsBase64">Vectors as the bytes of their 32-bit floats, little-endian, in base64.</param>
public sealed record EmbeddingRequest(string Model, EmbedText[] Texts, int? Dimensions, bool IsBase64)
{
    private const string Input = "input";

    public static EmbeddingRequest Read(JsonElement body)
    {
        var fields = new RequestFields(body);
        var texts = PromptField.Read(fields, Input, Limits.EmbeddingTexts);
        if (texts.Any(text => text.Text is ""))
            throw RequestFields.Wrong(Input, "holds an empty text, of which no vector is made");
        var isBase64 = fields.Text("encoding_format") switch
        {
            null or "float" => false,
            "base64" => true,
            _ => throw RequestFields.Wrong("encoding_format", "must be float or base64"),
        };
        return new EmbeddingRequest(
            fields.RequiredText("model"),
            [.. texts.Select(text => new EmbedText(text.Text, text.TokenIds))],
            (int?)fields.Whole("dimensions", 1, int.MaxValue),
            isBase64
        );
    }
}
