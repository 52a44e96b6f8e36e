using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Silo.Gateway.OpenAi;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Log-probabilities in OpenAI's two forms, of a text that has parts of characters as tokens.</summary>
public sealed class LogProbTests
{
    // "né😀" in five tokens: the é in two, the last in one with four bytes.
    private static readonly TokenLogProb[] Told =
    [
        One("n"u8, -0.5, One("n"u8, -0.5), One("m"u8, -1)),
        One([0xC3], -2, One("e"u8, -0.1), One([0xC3], -2)),
        One([0xA9], -0.25, One([0xA9], -0.25), One("e"u8, -3)),
        One("😀"u8, -4, One("!"u8, -0.5), One("!"u8, -0.75)),
        One("."u8, 0),
    ];

    [Fact]
    public void A_chat_tells_text_and_bytes()
    {
        var content = ChatLogProbs.Of(Told)!.Content;

        Assert.Equal(["n", "\uFFFD", "\uFFFD", "😀", "."], content.Select(one => one.Token));
        Assert.Equal("né😀."u8.ToArray().Select(one => (int)one), content.SelectMany(one => one.Bytes));
        Assert.Equal([-0.5, -2, -0.25, -4, 0], content.Select(one => one.Logprob));
        Assert.Equal([("e", -0.1), ("\uFFFD", -2)], content[1].TopLogprobs.Select(one => (one.Token, one.Logprob)));
        Assert.Equal([0xC3], content[1].TopLogprobs[1].Bytes);
        Assert.Null(ChatLogProbs.Of(null));
    }

    [Fact]
    public void A_completion_tells_lists_and_counts_characters_over_its_pieces()
    {
        var writer = new TextLogProbWriter();
        var first = writer.Write(Told[..2])!;
        var second = writer.Write(Told[2..])!;

        Assert.Equal(["n", "bytes:\\xc3", "bytes:\\xa9", "😀", "."], [.. first.Tokens, .. second.Tokens]);
        Assert.Equal([0, 1, 2, 2, 3], [.. first.TextOffset, .. second.TextOffset]);
        Assert.Equal([-0.25, -4, 0], second.TokenLogprobs);
        // The first of two with one name counts, and what came is always there.
        Assert.Equal(new Dictionary<string, double> { ["!"] = -0.5, ["😀"] = -4 }, second.TopLogprobs[1]);
        Assert.Equal(new Dictionary<string, double> { ["."] = 0 }, second.TopLogprobs[2]);
        Assert.Null(writer.Write(null));
    }

    private static TokenLogProb One(ReadOnlySpan<byte> bytes, double logProb, params TokenLogProb[] top) =>
        new(bytes.ToArray(), logProb, top);
}
