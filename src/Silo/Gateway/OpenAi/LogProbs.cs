using System.Globalization;
using System.Text;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>Log-probabilities as a chat tells them.</summary>
public sealed record ChatLogProbs(IReadOnlyList<ChatLogProb> Content, IReadOnlyList<ChatLogProb>? Refusal = null)
{
    /// <summary>Null where none were told.</summary>
    public static ChatLogProbs? Of(IReadOnlyList<TokenLogProb>? told) =>
        told is null ? null : new([.. told.Select(ChatLogProb.Of)]);
}

public sealed record ChatLogProb(
    string Token,
    double Logprob,
    IReadOnlyList<int> Bytes,
    IReadOnlyList<ChatTopLogProb> TopLogprobs
)
{
    public static ChatLogProb Of(TokenLogProb told)
    {
        ArgumentNullException.ThrowIfNull(told);
        return new(
            Encoding.UTF8.GetString(told.Bytes),
            told.LogProb,
            Numbers(told.Bytes),
            [
                .. told.Top.Select(one => new ChatTopLogProb(
                    Encoding.UTF8.GetString(one.Bytes),
                    one.LogProb,
                    Numbers(one.Bytes)
                )),
            ]
        );
    }

    private static int[] Numbers(byte[] bytes) => Array.ConvertAll(bytes, one => (int)one);
}

public sealed record ChatTopLogProb(string Token, double Logprob, IReadOnlyList<int> Bytes);

/// <summary>Log-probabilities as a completion tells them: lists of one length, an entry for each token.</summary>
/// <param name="TopLogprobs">The token that came is among them, however unlikely it was.</param>
/// <param name="TextOffset">Characters of the answer before the token.</param>
public sealed record TextLogProbs(
    IReadOnlyList<string> Tokens,
    IReadOnlyList<double> TokenLogprobs,
    IReadOnlyList<IReadOnlyDictionary<string, double>> TopLogprobs,
    IReadOnlyList<int> TextOffset
);

/// <summary>Words the log-probabilities of one completion, and counts its characters on the way.</summary>
public sealed class TextLogProbWriter
{
    private int offset;

    /// <summary>Null where none were told.</summary>
    public TextLogProbs? Write(IReadOnlyList<TokenLogProb>? told) =>
        told is null
            ? null
            : new(
                [.. told.Select(one => Name(one.Bytes))],
                [.. told.Select(one => one.LogProb)],
                [.. told.Select(Top)],
                [.. told.Select(Offset)]
            );

    private static Dictionary<string, double> Top(TokenLogProb told)
    {
        var top = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var one in told.Top)
            top.TryAdd(Name(one.Bytes), one.LogProb);
        top.TryAdd(Name(told.Bytes), told.LogProb);
        return top;
    }

    /// <summary>A part of a character is written as OpenAI writes it.</summary>
    private static string Name(byte[] bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        return text.Contains(Rune.ReplacementChar.ToString(), StringComparison.Ordinal)
            ? "bytes:" + string.Concat(bytes.Select(one => string.Create(CultureInfo.InvariantCulture, $"\\x{one:x2}")))
            : text;
    }

    private int Offset(TokenLogProb told)
    {
        const int Mask = 0xC0;
        const int Continues = 0x80;
        var before = offset;
        // A character counts where its first byte is.
        offset += told.Bytes.Count(one => (one & Mask) != Continues);
        return before;
    }
}
