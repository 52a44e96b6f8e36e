using EgpuFleet.Kernels.Torch.Tokenizing;

namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>Makes the training text of the sample model: equal seeds give equal texts.</summary>
public static class CorpusGenerator
{
    /// <summary>Documents in the order they are trained on.</summary>
    public static IEnumerable<CorpusDocument> Generate(int count, int seed)
    {
        var chooser = new Chooser(new Random(seed));
        for (var i = 0; i < count; i++)
            yield return One(chooser);
    }

    /// <summary>The start of a conversation as a model with a ChatML template sees it.</summary>
    public static IReadOnlyList<CorpusPart> ChatPrompt(string question) =>
        [
            CorpusPart.Special(SpecialTokens.TurnStart),
            CorpusPart.Plain($"user\n{question}"),
            CorpusPart.Special(SpecialTokens.TurnEnd),
            CorpusPart.Plain("\n"),
            CorpusPart.Special(SpecialTokens.TurnStart),
            CorpusPart.Plain("assistant\n"),
        ];

    private static CorpusDocument One(Chooser chooser) =>
        chooser.Number(0, 99) switch
        {
            < 30 => Prose(chooser, Stories.Long(chooser)),
            < 35 => Prose(chooser, Stories.Short(chooser, chooser.Pick(Animal.All))),
            < 41 => Prose(chooser, Facts.Explain(chooser)),
            < 45 => Prose(chooser, Facts.Describe(chooser)),
            < 51 => Prose(chooser, Facts.Report(chooser)),
            < 54 => Prose(chooser, Facts.Weather(chooser)),
            _ => Conversation(chooser),
        };

    // Some texts begin in their middle, so that a prompt may begin with any sentence.
    private static CorpusDocument Prose(Chooser chooser, string text)
    {
        var sentences = text.Split(". ");
        var first = chooser.Chance(20) ? chooser.Number(0, sentences.Length - 1) : 0;
        return new([CorpusPart.Plain(string.Join(". ", sentences[first..]))]);
    }

    private static CorpusDocument Conversation(Chooser chooser)
    {
        var parts = new List<CorpusPart>();
        if (chooser.Chance(15))
        {
            var instruction = chooser.Pick([
                "You are a helpful assistant.",
                "You are a friendly assistant.",
                "You answer in short sentences.",
            ]);
            parts.Add(CorpusPart.Special(SpecialTokens.TurnStart));
            parts.Add(CorpusPart.Plain($"system\n{instruction}"));
            parts.Add(CorpusPart.Special(SpecialTokens.TurnEnd));
            parts.Add(CorpusPart.Plain("\n"));
        }
        var turns = chooser.Chance(80) ? 1 : 2;
        for (var turn = 0; turn < turns; turn++)
        {
            var exchange = Questions.Any(chooser);
            parts.AddRange(ChatPrompt(exchange.Question));
            parts.Add(CorpusPart.Plain(exchange.Answer));
            parts.Add(CorpusPart.Special(SpecialTokens.TurnEnd));
            parts.Add(CorpusPart.Plain("\n"));
        }
        return new CorpusDocument(parts);
    }
}
