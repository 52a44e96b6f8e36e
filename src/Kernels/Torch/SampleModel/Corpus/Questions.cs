namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>Makes questions a user may ask and answers the model shall learn to give.</summary>
public static class Questions
{
    // Characters of an answer that surely fits into 48 tokens.
    private const int LongestAnswer = 90;

    private static readonly Func<Chooser, Exchange>[] Kinds =
    [
        AboutTopic,
        AboutTopic,
        AboutTopic,
        AboutAnimal,
        AboutAnimal,
        ForStory,
        ForStory,
        ForStory,
        ForStory,
        ForStory,
        SmallTalk.Any,
        SmallTalk.Any,
        SmallTalk.Any,
        Sum,
        AboutWord,
        AboutCalendar,
        ForSentence,
        Unknowns.About,
        Unknowns.Repeat,
    ];

    /// <summary>One exchange of any kind.</summary>
    public static Exchange Any(Chooser chooser) => chooser.Pick(Kinds)(chooser);

    private static Exchange AboutTopic(Chooser chooser)
    {
        var topic = chooser.Pick(Topic.All);
        var question = chooser.Pick([
            $"What is {topic.Name}?",
            $"What is {topic.Name}?",
            $"Tell me about {topic.Name}.",
            $"Can you explain {topic.Name}?",
            $"Please explain {topic.Name} in simple words.",
            $"Do you know what {topic.Name} is?",
        ]);
        var more = chooser.Pick(topic.More);
        var isShort = topic.Definition.Length + more.Length <= LongestAnswer;
        return new Exchange(question, isShort && chooser.Chance(60) ? $"{topic.Definition} {more}" : topic.Definition);
    }

    private static Exchange AboutAnimal(Chooser chooser)
    {
        var animal = chooser.Pick(Animal.All);
        var name = animal.Name;
        return chooser.Number(0, 3) switch
        {
            0 => new Exchange($"Where does {animal.WithArticle} live?", $"The {name} lives {animal.Home}."),
            1 => new Exchange($"What does {animal.WithArticle} eat?", $"The {name} eats {animal.Food}."),
            2 => new Exchange($"Tell me a fact about the {name}.", $"The {name} lives {animal.Home}. {animal.Fact}"),
            _ => new Exchange($"What do you know about the {name}?", $"The {name} eats {animal.Food}. {animal.Fact}"),
        };
    }

    private static Exchange ForStory(Chooser chooser)
    {
        var animal = chooser.Pick(Animal.All);
        var question = chooser.Pick([
            $"Tell me a short story about {animal.WithArticle}.",
            $"Tell me a story about {animal.WithArticle}.",
            $"Can you tell me a story about {animal.WithArticle}?",
            $"Write a short story about {animal.WithArticle}.",
            $"Please tell a story with {animal.WithArticle} in it.",
        ]);
        return new Exchange(question, Stories.Short(chooser, animal));
    }

    private static Exchange Sum(Chooser chooser)
    {
        var first = chooser.Number(1, 6);
        var second = chooser.Number(1, 6);
        return chooser.Chance(50)
            ? new Exchange($"What is {first} plus {second}?", $"It is {first + second}.")
            : new Exchange(
                $"What is {Words.Numbers[first]} plus {Words.Numbers[second]}?",
                $"It is {Words.Numbers[first + second]}."
            );
    }

    private static Exchange AboutWord(Chooser chooser)
    {
        if (chooser.Chance(40))
        {
            var (thing, colour) = chooser.Pick(Words.Colours);
            return new Exchange($"What colour is {thing}?", $"The colour of {thing} is {colour}.");
        }
        var (word, opposite) = chooser.Pick(Words.Opposites);
        return chooser.Chance(50)
            ? new Exchange($"What is the opposite of {word}?", $"The opposite of {word} is {opposite}.")
            : new Exchange($"What is the opposite of {opposite}?", $"The opposite of {opposite} is {word}.");
    }

    private static Exchange AboutCalendar(Chooser chooser)
    {
        if (chooser.Chance(50))
        {
            var day = chooser.Number(0, 6);
            return new Exchange(
                $"Which day comes after {Words.Days[day]}?",
                $"The day after {Words.Days[day]} is {Words.Days[(day + 1) % 7]}."
            );
        }
        var month = chooser.Number(0, 11);
        return new Exchange(
            $"Which month comes after {Words.Months[month]}?",
            $"The month after {Words.Months[month]} is {Words.Months[(month + 1) % 12]}."
        );
    }

    private static Exchange ForSentence(Chooser chooser)
    {
        if (chooser.Chance(50))
        {
            var topic = chooser.Pick(Topic.All);
            return new Exchange($"Write one sentence about {topic.Name}.", chooser.Pick(topic.More));
        }
        var animal = chooser.Pick(Animal.All);
        var sentence =
            $"The {chooser.Pick(animal.Adjectives)} {animal.Name} "
            + chooser.Pick(["sleeps", "sits", "plays", "waits", "walks", "rests"])
            + $" {animal.Home}.";
        return new Exchange($"Write one sentence about {animal.WithArticle}.", sentence);
    }
}
