using EgpuFleet.Kernels.Formats.Chat;
using EgpuFleet.Kernels.Formats.Tokenizing;

namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>
/// Turns records into the tokens that a model trains on. Of a conversation the assistant's answers are trained, each from
/// where the model goes on by itself through the token by which it ends; of a prompt and its completion the completion;
/// of a text all. No token reaches over the border of an answer, as none does when the model answers.
/// </summary>
/// <param name="tokenizer">The base model's.</param>
/// <param name="template">The base model's; null where it has none, and conversations are refused.</param>
/// <param name="rowTokens">Places of a row, at most the model's context.</param>
public sealed class SampleEncoder(GgufTokenizer tokenizer, ChatTemplate? template, int rowTokens)
{
    /// <summary>The sample, or null where there is none and <paramref name="findings"/> says why.</summary>
    public TokenSample? Encode(TrainingRecord record, TrainingFindings findings)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(findings);
        try
        {
            var sample = record switch
            {
                ChatRecord chat => Chat(chat),
                CompletionRecord { Prompt: var prompt } completion => Plain(
                    prompt + completion.Completion,
                    prompt.Length
                ),
                TextRecord text => Plain(text.Text, 0),
                _ => throw new ArgumentException($"A record of the kind {record.GetType().Name}.", nameof(record)),
            };
            return Fits(record.Line, sample, findings) ? sample : null;
        }
        catch (ChatTemplateException e)
        {
            findings.Error(
                record.Line,
                TrainingFault.Template,
                $"Line {record.Line} cannot be written as the model wants it. {e.Message}",
                "Arrange the messages as the model's chat template has them, or train on prompts and completions."
            );
            return null;
        }
    }

    /// <summary>The tokens as text, in stretches that are trained or not; control tokens by their names.</summary>
    public IReadOnlyList<PreviewPart> Show(TokenSample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        var parts = new List<PreviewPart>();
        var bytes = new List<byte>();
        var shown = Math.Min(sample.Tokens.Length, Limits.PreviewTokens);
        for (var i = 0; i < shown; i++)
        {
            var piece = tokenizer.Piece(sample.Tokens[i], beginsText: false);
            bytes.AddRange(
                piece.Length > 0 ? piece : System.Text.Encoding.UTF8.GetBytes(tokenizer.NameOf(sample.Tokens[i]))
            );
            if (i + 1 < shown && sample.LossMask[i + 1] == sample.LossMask[i])
                continue;
            parts.Add(new PreviewPart(System.Text.Encoding.UTF8.GetString([.. bytes]), sample.LossMask[i] != 0));
            bytes.Clear();
        }
        return parts;
    }

    private TokenSample Plain(string text, int trainedFrom)
    {
        var pieces = tokenizer.EncodePieces(text, [trainedFrom], parseSpecial: false);
        // So that the model learns to stop.
        int[] end = tokenizer.Eos is { } eos && !(pieces[1] is [.., var last] && last == eos) ? [eos] : [];
        return new TokenSample(
            [.. pieces[0], .. pieces[1], .. end],
            Mask([(pieces[0].Length, 0), (pieces[1].Length + end.Length, 1)])
        );
    }

    private TokenSample Chat(ChatRecord record)
    {
        if (template is null)
            throw new ChatTemplateException(ChatTemplateFault.Invalid, "The model has no chat template.");
        var answers = Enumerable
            .Range(0, record.Messages.Count)
            .Where(index => record.Messages[index].IsTrained)
            .ToArray();
        if (answers.Length > Limits.TrainedAnswers)
            throw new ChatTemplateException(
                ChatTemplateFault.Limit,
                $"The conversation has more than {Limits.TrainedAnswers} answers that are trained; cut it into several."
            );
        var messages = record.Messages.Select(message => new TemplateMessage(message.Role, message.Content)).ToArray();
        var (text, spans) = ConversationAnswers.Find(template, messages, answers);
        if (text.Length > Limits.TextChars)
            throw new ChatTemplateException(ChatTemplateFault.Limit, "The conversation is too long.");
        var pieces = tokenizer.EncodePieces(
            text,
            [.. spans.SelectMany(span => new[] { span.Start, span.End })],
            parseSpecial: true,
            // Many templates write the first token themselves.
            addSpecial: tokenizer.Bos is not { } bos
                || !text.StartsWith(tokenizer.NameOf(bos), StringComparison.Ordinal)
        );
        var runs = new List<(int Tokens, byte Counts)>();
        for (var i = 0; i < pieces.Length; i++)
        {
            var trained = i % 2 == 1 ? Trained(pieces[i], spans[i / 2], answers[i / 2]) : 0;
            runs.Add((trained, 1));
            runs.Add((pieces[i].Length - trained, 0));
        }
        return new TokenSample([.. pieces.SelectMany(piece => piece)], Mask(runs));
    }

    /// <summary>How many tokens of an answer are trained: those through the first that ends it, where one does.</summary>
    private int Trained(int[] answer, AnswerSpan span, int index)
    {
        var end = Array.FindIndex(answer, tokenizer.EndsText);
        if (end < 0 && !span.EndsThere)
            throw new ChatTemplateException(
                ChatTemplateFault.NotPrefixStable,
                $"The chat template does not show where messages[{index}] ends."
            );
        return end < 0 ? answer.Length : end + 1;
    }

    private bool Fits(int line, TokenSample sample, TrainingFindings findings)
    {
        if (sample.Places > rowTokens)
        {
            findings.Error(
                line,
                TrainingFault.SampleTooLong,
                $"Line {line} has {sample.Tokens.Length} tokens; {rowTokens + 1} fit.",
                "Shorten the sample or cut it into several, or train with a longer context if the model has one."
            );
            return false;
        }
        if (sample.TrainedTokens > 0)
            return true;
        findings.Error(
            line,
            TrainingFault.NothingToTrain,
            $"Line {line} has no token to train on.",
            "Leave out samples that have nothing to train."
        );
        return false;
    }

    private static byte[] Mask(IReadOnlyList<(int Tokens, byte Counts)> runs) =>
        [.. runs.SelectMany(run => Enumerable.Repeat(run.Counts, run.Tokens))];
}
