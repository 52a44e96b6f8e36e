using System.Text;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Execution;

namespace EgpuFleet.NodeAgent.Tests.Execution;

public sealed class ChunkMakerTests
{
    [Fact]
    public void A_part_of_a_character_waits_and_its_log_probability_with_it()
    {
        var maker = new ChunkMaker();

        Assert.Null(maker.Take(Said("", [0xC3], -1)));
        var chunk = maker.Take(Said("é", [0xA9], -2))!.Value;

        Assert.Equal((0, "é"), (chunk.Index, chunk.Text));
        Assert.Equal([-1, -2], chunk.LogProbs!.Select(one => one.LogProb));
        Assert.Equal("é", Encoding.UTF8.GetString([.. chunk.LogProbs!.SelectMany(one => one.Bytes)]));
        Assert.Equal([0xA9], Assert.Single(chunk.LogProbs![1].Top).Bytes);
        Assert.Equal(1, maker.Take(new GeneratedToken(2, 7, "x"))!.Value.Index);
    }

    /// <summary>The text ends before "stop", which came as "ab", "cst", "o", "p".</summary>
    [Fact]
    public void Tokens_behind_a_stop_string_are_not_told()
    {
        var maker = new ChunkMaker();
        var first = maker.Take(Said("ab", "ab"u8, -1))!.Value;
        var second = maker.Take(Said("c", "cst"u8, -2))!.Value;
        Assert.Null(maker.Take(Said("", "o"u8, -3)));
        var last = maker
            .Take(Said("", "p"u8, -4) with { FinishReason = FinishReason.Stop, Usage = new GenerationUsage(5, 4) })!
            .Value;

        Assert.Equal([-1, -2], first.LogProbs!.Concat(second.LogProbs!).Select(one => one.LogProb));
        Assert.Null(last.LogProbs);
        Assert.Equal(("stop", 5, 4), (last.FinishReason, last.PromptTokens, last.CompletionTokens));
    }

    [Fact]
    public void What_might_have_become_a_stop_string_is_told_at_the_end()
    {
        var maker = new ChunkMaker();
        Assert.Null(maker.Take(Said("", "st"u8, -1)));
        var last = maker.Take(Said("ste", "e"u8, -2) with { FinishReason = FinishReason.Length })!.Value;

        Assert.Equal(("ste", "length"), (last.Text, last.FinishReason));
        Assert.Equal([-1, -2], last.LogProbs!.Select(one => one.LogProb));
    }

    private static GeneratedToken Said(string text, ReadOnlySpan<byte> bytes, double logProb)
    {
        var own = bytes.ToArray();
        var told = new TokenLogProbs(logProb, [new TokenLogProb(3, logProb)]).Spelled(own, _ => own);
        return new GeneratedToken(0, 3, text, LogProbs: told);
    }
}
