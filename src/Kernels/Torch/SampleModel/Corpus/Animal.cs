namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>A hero of stories and questions.</summary>
/// <param name="Name">Without article.</param>
/// <param name="Adjectives">Words that suit it.</param>
/// <param name="Home">Where it lives, with preposition.</param>
/// <param name="Food">What it eats.</param>
/// <param name="Fact">One more sentence, starting with <c>It</c>.</param>
public sealed record Animal(string Name, string[] Adjectives, string Home, string Food, string Fact)
{
    /// <summary>The name with its indefinite article.</summary>
    public string WithArticle => ("aeiou".Contains(Name[0], StringComparison.Ordinal) ? "an " : "a ") + Name;

    /// <summary>The animals of the grammar.</summary>
    public static IReadOnlyList<Animal> All { get; } =
    [
        new(
            "fox",
            ["red", "clever", "little"],
            "in a den at the edge of the forest",
            "berries and mice",
            "It has a thick red tail."
        ),
        new(
            "rabbit",
            ["white", "quick", "little"],
            "in a burrow under the meadow",
            "grass and carrots",
            "It can hear very well."
        ),
        new(
            "bear",
            ["brown", "big", "sleepy"],
            "in a cave in the hills",
            "fish, honey and berries",
            "It sleeps for most of the winter."
        ),
        new("owl", ["old", "wise", "quiet"], "in a hollow tree", "mice and moths", "It sees well at night."),
        new(
            "mouse",
            ["small", "grey", "brave"],
            "in a hole behind the wall",
            "seeds and cheese",
            "It is smaller than a hand."
        ),
        new("cat", ["black", "soft", "curious"], "in a warm house", "fish and meat", "It likes to sleep in the sun."),
        new(
            "dog",
            ["happy", "loyal", "young"],
            "in a house with its people",
            "meat and biscuits",
            "It wags its tail when it is glad."
        ),
        new("frog", ["green", "wet", "jolly"], "by the pond", "flies and worms", "It can jump very far."),
        new(
            "duck",
            ["yellow", "noisy", "little"],
            "on the lake",
            "plants and small snails",
            "It has feet made for swimming."
        ),
        new("horse", ["strong", "tall", "gentle"], "in a stable near the field", "hay and oats", "It can run all day."),
        new(
            "hedgehog",
            ["round", "shy", "little"],
            "under the hedge",
            "beetles and worms",
            "It rolls into a ball when it is afraid."
        ),
        new(
            "squirrel",
            ["red", "busy", "quick"],
            "in a nest high in an oak",
            "nuts and seeds",
            "It hides nuts for the winter."
        ),
        new(
            "turtle",
            ["slow", "patient", "old"],
            "near the river",
            "leaves and fruit",
            "It carries its house on its back."
        ),
        new(
            "bird",
            ["blue", "small", "merry"],
            "in a nest in the apple tree",
            "seeds and worms",
            "It sings in the morning."
        ),
        new("wolf", ["grey", "proud", "lonely"], "in the deep forest", "meat", "It lives with its family in a pack."),
        new(
            "deer",
            ["graceful", "shy", "young"],
            "in the quiet woods",
            "leaves and grass",
            "It runs fast when it hears a sound."
        ),
        new(
            "penguin",
            ["funny", "little", "brave"],
            "on the ice by the cold sea",
            "fish",
            "It swims very well but cannot fly."
        ),
        new("elephant", ["big", "kind", "grey"], "on the wide plain", "leaves and grass", "It never forgets a friend."),
        new("bee", ["busy", "tiny", "golden"], "in a hive", "nectar from flowers", "It makes honey."),
        new(
            "whale",
            ["blue", "great", "calm"],
            "in the deep sea",
            "tiny sea animals",
            "It is the largest animal of all."
        ),
        new(
            "otter",
            ["playful", "brown", "quick"],
            "on the bank of the river",
            "fish and crabs",
            "It floats on its back when it rests."
        ),
        new(
            "goat",
            ["white", "stubborn", "young"],
            "on the steep mountain",
            "grass and herbs",
            "It climbs where nobody else can."
        ),
    ];
}
