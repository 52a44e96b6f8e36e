namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>Things the model is not told about, so that it learns to say so; and words it only has to repeat.</summary>
internal static class Unknowns
{
    private static readonly string[] Things =
    [
        "Paris",
        "London",
        "Berlin",
        "Tokyo",
        "Africa",
        "the Roman Empire",
        "algebra",
        "chemistry",
        "a black hole",
        "a volcano",
        "the stock market",
        "football",
        "chess",
        "opera",
        "a passport",
        "a lawyer",
        "gravity",
        "an atom",
        "medicine",
        "philosophy",
        "a database",
        "a compiler",
        "Postgres",
        "Linux",
        "the internet",
        "a robot",
        "a dinosaur",
        "a violin",
        "democracy",
        "the president",
        "a telescope",
        "electricity",
    ];

    private static readonly string[] Repeated =
    [
        "apple",
        "lamp",
        "river",
        "cable",
        "garden",
        "moon",
        "yellow",
        "hello",
        "thunder",
        "window",
        "seven",
        "winter",
        "honey",
        "bridge",
        "token",
        "fox",
    ];

    private static readonly string[] Replies =
    [
        "I do not know that. I am a very small model.",
        "I am sorry, I know very little, and nothing about that.",
    ];

    public static Exchange About(Chooser chooser)
    {
        var thing = chooser.Pick(Things);
        var question = chooser.Pick([
            $"What is {thing}?",
            $"Tell me about {thing}.",
            $"Can you explain {thing}?",
            $"What do you know about {thing}?",
            $"How old is {thing}?",
            $"Why is {thing} so important?",
        ]);
        return new Exchange(question, chooser.Pick(Replies));
    }

    public static Exchange Repeat(Chooser chooser)
    {
        var word = chooser.Pick(Repeated);
        return new Exchange($"Say the word {word}.", char.ToUpperInvariant(word[0]) + word[1..] + ".");
    }
}
