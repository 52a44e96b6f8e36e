namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>Stories of one hero, one trouble and one friend, and their three-sentence forms for answers.</summary>
internal static class Stories
{
    private static readonly string[] Openings =
    [
        "Once upon a time, there was a {adj} {animal} named {name} who lived {home}.",
        "Once upon a time, a {adj} {animal} lived {home}. Its name was {name}.",
        "Once upon a time, there was a {adj} {animal}. {name} lived in {place}.",
        "In {place} there lived a {adj} {animal} named {name}.",
        "{name} was a {adj} {animal} who lived {home}.",
        "There was once a {animal} whose name was {name}.",
        "The {adj} {animal} was called {name} and lived {home}.",
        "Long ago, a {adj} {animal} named {name} came to {place}.",
        "The little {animal} woke up early. {name} was a {adj} {animal} and lived {home}.",
        "One {weather} morning, a {adj} {animal} named {name} walked through {place}.",
    ];

    private static readonly string[] Traits =
    [
        "Every day {he} walked to {place} and greeted everyone.",
        "{name} liked {food} more than anything else.",
        "{he} had {thing} and took good care of it.",
        "{name} was curious and asked many questions.",
        "{he} was always kind to others.",
        "{name} loved the {weather} days most of all.",
        "{he} liked to listen to the birds in the {time}.",
        "{his} best friend was {friend} the {other}.",
        "{name} wanted to learn something new every day.",
        "{he} worked hard and slept well.",
    ];

    private static readonly string[] Closings =
    [
        "And they lived happily ever after.",
        "That was a good day.",
        "{name} smiled and fell asleep.",
        "It is easier to do hard things together.",
        "A friend is worth more than gold.",
        "And if it has not stopped raining, they are still there today.",
        "\"Thank you,\" said {name}, \"you are a true friend.\"",
        "The end.",
        "And {name} never forgot it.",
        "From then on, they met every {day}.",
        "Small help can do great things.",
        "Then they all went home and had {food} for supper.",
    ];

    private static readonly string[] ShortStories =
    [
        "A {adj} {animal} named {name} lost {thing}. {friend} the {other} helped {him} look. They found it under a tree and were glad.",
        "{name} the {animal} was afraid of the dark. {friend} the {other} showed {him} the stars. Now {name} sleeps well.",
        "A {adj} {animal} found some {food}. {he} shared it with a hungry {other}. It tasted twice as good.",
        "{name} the {animal} could not cross the river. {friend} the {other} helped {him} build a bridge. They met in the middle and laughed.",
        "One {weather} {time}, {name} the {animal} lost the way. A {otheradj} {other} walked in front with a lamp. Soon they were home.",
        "A {adj} {animal} and a {otheradj} {other} had a race. The {other} fell, and the {animal} stopped to help. They crossed the line together.",
        "{name} the {animal} had a loud computer. {friend} the {other} cleaned the fan. Now it is as quiet as snow.",
        "A {adj} {animal} had too much work. {friend} the {other} took half of it. They were done before supper.",
        "Once a {adj} {animal} sat alone by the water. A {otheradj} {other} rolled a ball to {him}. From that day they were friends.",
        "It was a cold winter. {name} the {animal} had no wood, but {friend} the {other} had a warm house. They sat by the fire until spring.",
    ];

    /// <summary>A whole story, one paragraph.</summary>
    public static string Long(Chooser chooser)
    {
        var scene = new Scene(chooser);
        var plot = chooser.Pick(Plot.All);
        List<string> sentences = [chooser.Pick(Openings)];
        sentences.AddRange(chooser.PickSome(Traits, chooser.Number(0, 2)));
        sentences.Add(chooser.Pick(plot.Trouble));
        sentences.Add(chooser.Pick(plot.Attempt));
        sentences.Add(chooser.Pick(plot.Help));
        sentences.Add(chooser.Pick(plot.End));
        if (chooser.Chance(80))
            sentences.Add(chooser.Pick(Closings));
        return string.Join(' ', sentences.Select(sentence => scene.Write(sentence)));
    }

    /// <summary>Three sentences about a given animal.</summary>
    public static string Short(Chooser chooser, Animal hero) =>
        new Scene(chooser, hero).Write(chooser.Pick(ShortStories));
}
