namespace EgpuFleet.Kernels.Engines;

/// <summary>One sampled token of a stream.</summary>
/// <param name="Index">From 0.</param>
/// <param name="TokenId">Id in the model's vocabulary.</param>
/// <param name="Text">
/// Whole characters only; empty while a character is incomplete or could be the start of a stop string, and then part of a
/// later item. The texts of all items concatenated are the completion.
/// </param>
/// <param name="FinishReason">On the last item only.</param>
/// <param name="Usage">On the last item only.</param>
/// <param name="LogProbs">Where they were asked for, and the item holds a token of the completion.</param>
public sealed record GeneratedToken(
    int Index,
    int TokenId,
    string Text,
    FinishReason? FinishReason = null,
    GenerationUsage? Usage = null,
    TokenLogProbs? LogProbs = null
);

/// <summary>What the model thought of a token it was made to choose; natural logarithms, before temperature and cuts.</summary>
/// <param name="LogProb">Of the token itself.</param>
/// <param name="Top">The most likely ones, most likely first, the lower id on ties.</param>
public sealed record TokenLogProbs(double LogProb, IReadOnlyList<TokenLogProb> Top)
{
    /// <summary>What the token stands for, maybe a part of a character; empty for control tokens.</summary>
    public byte[] Bytes { get; init; } = [];

    /// <summary>The same with the bytes of every token.</summary>
    /// <param name="own">Of the token itself.</param>
    /// <param name="spell">Of a token that could have come in its place.</param>
    public TokenLogProbs Spelled(byte[] own, Func<int, byte[]> spell) =>
        this with
        {
            Bytes = own,
            Top = [.. Top.Select(one => one with { Bytes = spell(one.TokenId) })],
        };
}

/// <param name="TokenId">Id in the model's vocabulary.</param>
/// <param name="LogProb">Natural logarithm of its probability.</param>
public sealed record TokenLogProb(int TokenId, double LogProb)
{
    /// <summary>What it stands for; the name of a control token.</summary>
    public byte[] Bytes { get; init; } = [];
}

public enum FinishReason
{
    /// <summary>The model ended its text, or a stop string was reached.</summary>
    Stop,

    /// <summary>max_tokens or the context was reached.</summary>
    Length,

    /// <summary>The caller, or the unloading of the model, ended it. This item holds no token of its own (<c>TokenId</c> −1).</summary>
    Cancelled,
}

/// <param name="PromptTokens">Including BOS.</param>
/// <param name="CompletionTokens">Tokens sampled, without the end-of-text token.</param>
public sealed record GenerationUsage(int PromptTokens, int CompletionTokens);
