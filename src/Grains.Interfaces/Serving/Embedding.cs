using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Grains.Interfaces.Serving;

/// <summary>Texts of which vectors are made.</summary>
[GenerateSerializer, Immutable, Alias("fleet.EmbedRequest")]
public sealed record EmbedRequest(
    [property: Id(0)] string RequestId,
    [property: Id(1)] ModelRef Model,
    [property: Id(2)] EmbedText[] Texts
);

/// <summary>One of them; exactly one of the two is set.</summary>
[GenerateSerializer, Immutable, Alias("fleet.EmbedText")]
public sealed record EmbedText([property: Id(0)] string? Text, [property: Id(1)] int[]? TokenIds);

/// <summary>The vector of a text. They come in the order of the texts.</summary>
/// <param name="Index">Of the text.</param>
/// <param name="Vector">32-bit floats, little-endian, of length 1 together.</param>
/// <param name="Tokens">Of the text.</param>
[GenerateSerializer, Immutable, Alias("fleet.TextVector")]
public readonly record struct TextVector(
    [property: Id(0)] int Index,
    [property: Id(1)] byte[] Vector,
    [property: Id(2)] int Tokens
);
