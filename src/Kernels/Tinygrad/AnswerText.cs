using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Tokenizing;
using EgpuFleet.Kernels.Text;
using EgpuFleet.Kernels.Tinygrad.Child;

namespace EgpuFleet.Kernels.Tinygrad;

/// <summary>Turns the ids of one generation into the items of its stream, with whole characters and without stop strings.</summary>
/// <param name="options">Stop strings, and what the text shows.</param>
/// <param name="room">Ids it has at most: the last of so many waits for the child's word, since the last item says why.</param>
internal sealed class AnswerText(GgufTokenizer tokenizer, int[] prompt, int room, GenerationOptions options)
{
    private const int NoToken = -1;

    private readonly CompletionText text = new(options.StopStrings);
    private readonly HashSet<int> shown = Named(tokenizer, options.ShownTokens);
    private string held = "";
    private ChildToken? last;
    private int count;

    /// <summary>Takes the next id; returns its item, the last of all where it completes a stop string, or null.</summary>
    public GeneratedToken? Take(ChildToken taken)
    {
        var token = taken.Id;
        // A prompt of at most BOS has no text, so the completion is the beginning of one.
        var beginsText = count == 0 && prompt is [var only] && only == tokenizer.Bos;
        var piece = shown.Contains(token) ? tokenizer.Spelling(token, beginsText) : tokenizer.Piece(token, beginsText);
        taken = taken with
        {
            LogProbs = taken.LogProbs?.Spelled(piece, other => tokenizer.Spelling(other, beginsText)),
        };
        var certain = text.Append(piece);
        (last, count) = (taken, count + 1);
        if (text.Stopped)
        {
            var usage = new GenerationUsage(prompt.Length, count);
            return new GeneratedToken(count - 1, token, certain, FinishReason.Stop, usage, taken.LogProbs);
        }
        if (count < room)
            return new GeneratedToken(count - 1, token, certain, LogProbs: taken.LogProbs);
        held = certain;
        return null;
    }

    /// <summary>The last item, as the child says why.</summary>
    public GeneratedToken End(ChildFinish finish)
    {
        var usage = new GenerationUsage(finish.PromptTokens, finish.CompletionTokens);
        var rest = held + text.Finish();
        var reason = text.Stopped ? FinishReason.Stop : finish.Finish;
        return finish switch
        {
            { Finish: FinishReason.Length } => new GeneratedToken(
                count - 1,
                last?.Id ?? NoToken,
                rest,
                reason,
                usage,
                last?.LogProbs
            ),
            { StopToken: { } stop } => new GeneratedToken(count, stop, rest, reason, usage),
            _ => new GeneratedToken(count, NoToken, rest, reason, usage),
        };
    }

    /// <summary>The tokens of these names; a name that is not one token is left out.</summary>
    private static HashSet<int> Named(GgufTokenizer tokenizer, IReadOnlyList<string> names) =>
        [
            .. names
                .Select(name => tokenizer.Encode(name, parseSpecial: true, addSpecial: false))
                .Where(tokens => tokens.Length == 1)
                .Select(tokens => tokens[0]),
        ];
}
