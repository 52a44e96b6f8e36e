using System.Text;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Engines;
using FleetLogProb = EgpuFleet.Grains.Interfaces.Serving.TokenLogProb;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>Makes the chunks of one stream: a token without text, maybe a part of a character, waits for the next with text.</summary>
internal sealed class ChunkMaker
{
    private readonly List<FleetLogProb> held = [];
    private int index;
    private long textBytes;
    private long tokenBytes;

    /// <summary>The chunk that a token completes; null: none.</summary>
    public TokenChunk? Take(GeneratedToken token)
    {
        if (token.LogProbs is { } told)
            held.Add(Told(told.Bytes, told.LogProb, [.. told.Top.Select(one => Told(one.Bytes, one.LogProb, []))]));
        if (token.Text.Length == 0 && token.FinishReason is null)
            return null;
        var finish = token.FinishReason is { } reason ? Generator.FinishText(reason) : null;
        textBytes += Encoding.UTF8.GetByteCount(token.Text);
        var logProbs = Release(stopped: token.FinishReason is FinishReason.Stop);
        var (prompt, completion) = (token.Usage?.PromptTokens ?? 0, token.Usage?.CompletionTokens ?? 0);
        return new TokenChunk(index++, token.Text, finish, prompt, completion, logProbs);
    }

    private static FleetLogProb Told(byte[] bytes, double logProb, FleetLogProb[] top) => new(bytes, logProb, top);

    /// <summary>Those held; where a stop string cut the text, not of tokens that began behind the cut.</summary>
    private FleetLogProb[]? Release(bool stopped)
    {
        var released = new List<FleetLogProb>(held.Count);
        foreach (var one in held)
        {
            if (!stopped || tokenBytes < textBytes)
                released.Add(one);
            tokenBytes += one.Bytes.Length;
        }
        held.Clear();
        return released.Count == 0 ? null : [.. released];
    }
}
