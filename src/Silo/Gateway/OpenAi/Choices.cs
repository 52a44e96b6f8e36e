using System.Text;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>A piece of one of the answers to a request.</summary>
/// <param name="Choice">Index of the answer.</param>
/// <param name="Chunk">Its next piece.</param>
public readonly record struct ChoiceChunk(int Choice, TokenChunk Chunk);

/// <summary>One answer.</summary>
/// <param name="LogProbs">Of every token, where they were asked for; else null.</param>
public sealed record WholeChoice(string Text, string FinishReason, IReadOnlyList<TokenLogProb>? LogProbs);

/// <summary>Gathers the answers to one request, and what they cost.</summary>
/// <param name="prompts">What was asked.</param>
/// <param name="perPrompt">Answers to each; they stand together.</param>
/// <param name="withText">Whether texts are kept, and not only counted.</param>
public sealed class ChoiceGatherer(int prompts, int perPrompt, bool withText)
{
    private readonly StringBuilder[] texts =
    [
        .. Enumerable.Range(0, prompts * perPrompt).Select(_ => new StringBuilder()),
    ];
    private readonly List<TokenLogProb>?[] logProbs = new List<TokenLogProb>?[prompts * perPrompt];
    private readonly TokenChunk[] last = new TokenChunk[prompts * perPrompt];

    /// <summary>Of all answers; a prompt counts once.</summary>
    public Usage Usage =>
        Usage.Of(
            last.Where((_, index) => index % perPrompt == 0).Sum(chunk => chunk.PromptTokens),
            last.Sum(chunk => chunk.CompletionTokens)
        );

    public void Add(ChoiceChunk piece)
    {
        var (choice, chunk) = piece;
        last[choice] = chunk;
        if (!withText)
            return;
        texts[choice].Append(chunk.Text);
        if (chunk.LogProbs is { } told)
            (logProbs[choice] ??= []).AddRange(told);
    }

    /// <exception cref="GatewayException">503: one of them has no end.</exception>
    public void RequireEnds() => Array.ForEach(last, chunk => FinishOf(chunk));

    /// <inheritdoc cref="RequireEnds"/>
    public IReadOnlyList<WholeChoice> Whole() =>
        [.. last.Select((chunk, index) => new WholeChoice(texts[index].ToString(), FinishOf(chunk), logProbs[index]))];

    private static string FinishOf(TokenChunk chunk) =>
        chunk.FinishReason
        ?? throw GatewayException.Unavailable("stream_broken", "The answer ended without its last part.");
}
