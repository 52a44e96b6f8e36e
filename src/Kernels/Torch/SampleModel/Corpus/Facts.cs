namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>Plain texts that explain a topic, describe an animal or report a day of a fleet.</summary>
internal static class Facts
{
    /// <summary>One or two topics, each with its definition and some more sentences.</summary>
    public static string Explain(Chooser chooser)
    {
        var topics = chooser.PickSome(Topic.All, chooser.Number(1, 2));
        return string.Join(
            ' ',
            topics.SelectMany(topic =>
                new[] { topic.Definition }.Concat(chooser.PickSome(topic.More, chooser.Number(2, 4)))
            )
        );
    }

    /// <summary>What an animal is like.</summary>
    public static string Describe(Chooser chooser)
    {
        var animal = chooser.Pick(Animal.All);
        var adjective = chooser.Pick(animal.Adjectives);
        var name = "The " + animal.Name;
        List<string> sentences =
        [
            chooser.Chance(50) ? $"{name} lives {animal.Home}." : $"The {adjective} {animal.Name} lives {animal.Home}.",
        ];
        sentences.AddRange(
            chooser.PickSome(
                [
                    $"It eats {animal.Food}.",
                    animal.Fact,
                    $"Many stories tell of the {adjective} {animal.Name}.",
                    $"In the {chooser.Pick(Words.Times)} you may see it.",
                    $"{name} does not like {chooser.Pick(Words.Weathers)} weather.",
                    $"A young {animal.Name} stays with its mother.",
                ],
                chooser.Number(2, 4)
            )
        );
        return string.Join(' ', sentences);
    }

    /// <summary>How a job went.</summary>
    public static string Report(Chooser chooser)
    {
        var person = chooser.Pick(chooser.Chance(50) ? Words.HerNames : Words.HisNames);
        var machines = chooser.Number(2, 6);
        var shards = machines * chooser.Number(1, 3);
        List<string> sentences =
        [
            chooser.Pick([
                $"On {chooser.Pick(Words.Days)}, {person} sent {chooser.Number(2, 9)}00 prompts to the fleet.",
                $"{person} has a fleet of {Words.Numbers[machines]} machines in the office.",
                $"On a {chooser.Pick(Words.Weathers)} {chooser.Pick(Words.Times[..3])}, {person} started a big job.",
            ]),
            chooser.Pick([
                $"The scheduler cut the job into {shards} shards.",
                $"The scheduler gave the shards to {Words.Numbers[machines]} devices.",
                $"The job waited in the queue for {Words.Numbers[chooser.Number(2, 9)]} minutes.",
            ]),
            chooser.Pick([
                "The fast GPU took most of the shards.",
                "The small Mac worked on one shard, and the eGPU worked on the others.",
                "Every worker loaded the model and began to read.",
                "The fans turned, and the lights went on.",
            ]),
            chooser.Pick([
                "Then one node lost its power, and its shards ran on another node.",
                "One cable was loose, so one device had to wait.",
                "Nothing went wrong.",
                "One worker crashed and was started again.",
                "In the middle of the work, a new machine joined the fleet.",
            ]),
            chooser.Pick([
                "All answers came back, each exactly once.",
                $"After {Words.Numbers[chooser.Number(2, 12)]} minutes the job was done.",
                $"{person} read the answers and was glad.",
                "The results were written into the ledger.",
                $"In the evening {person} went home and had {chooser.Pick(Words.Foods)}.",
            ]),
        ];
        return string.Join(' ', sentences);
    }

    /// <summary>A few sentences about a day and its weather.</summary>
    public static string Weather(Chooser chooser)
    {
        var weather = chooser.Pick(Words.Weathers);
        var animal = chooser.Pick(Animal.All);
        return string.Join(
            ' ',
            chooser.Pick([
                $"Today is a {weather} day.",
                $"It was a {weather} {chooser.Pick(Words.Times)} in {chooser.Pick(Words.Months)}.",
                $"The weather on {chooser.Pick(Words.Days)} was {weather}.",
            ]),
            chooser.Pick([
                "The clouds moved slowly over the hills.",
                "The trees stood still.",
                "There was nobody on the road.",
                $"The smell of {chooser.Pick(Words.Foods)} was in the air.",
            ]),
            $"{Capital(animal.WithArticle)} {chooser.Pick(["sat by the window", "looked at the sky", "walked through the grass", "waited under a tree"])} and {chooser.Pick(["thought of summer", "listened to the wind", "was glad", "waited for a friend", "began to sing"])}.",
            chooser.Pick([
                "Then the sun came out.",
                "Later it began to rain.",
                "In the evening the stars came out.",
                "At night it was cold.",
                "Everyone went home early.",
            ])
        );
    }

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
