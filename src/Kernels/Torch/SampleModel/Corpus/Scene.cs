using System.Text;

namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>Who and what one text is about: the same words wherever the same {slot} is named.</summary>
internal sealed class Scene
{
    private readonly Dictionary<string, string> slots;

    public Scene(Chooser chooser, Animal? hero = null)
    {
        var animal = hero ?? chooser.Pick(Animal.All);
        var friend = chooser.PickOther(Animal.All, animal);
        var isShe = chooser.Chance(50);
        var name = chooser.Pick(isShe ? Words.HerNames : Words.HisNames);
        var thing = chooser.Pick(Words.Things);
        slots = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["name"] = name,
            ["animal"] = animal.Name,
            ["adj"] = chooser.Pick(animal.Adjectives),
            ["home"] = animal.Home,
            ["he"] = isShe ? "she" : "he",
            ["his"] = isShe ? "her" : "his",
            ["him"] = isShe ? "her" : "him",
            ["friend"] = chooser.PickOther(isShe ? Words.HisNames : Words.HerNames, name),
            ["other"] = friend.Name,
            ["otheradj"] = chooser.Pick(friend.Adjectives),
            ["place"] = chooser.Pick(Words.Places),
            ["thing"] = thing,
            ["thething"] = "the " + thing[(thing.IndexOf(' ', StringComparison.Ordinal) + 1)..],
            ["food"] = chooser.Pick(Words.Foods),
            ["weather"] = chooser.Pick(Words.Weathers),
            ["time"] = chooser.Pick(Words.Times[..3]),
            ["day"] = chooser.Pick(Words.Days),
        };
    }

    /// <summary>Fills {slots}, sets a or an by the word that follows, and begins sentences with a capital letter.</summary>
    public string Write(string template)
    {
        var text = new StringBuilder(template);
        foreach (var (slot, value) in slots)
            text.Replace("{" + slot + "}", value);
        foreach (var vowel in "aeiou")
            text.Replace($" a {vowel}", $" an {vowel}").Replace($"A {vowel}", $"An {vowel}");
        text[0] = char.ToUpperInvariant(text[0]);
        for (var i = 2; i < text.Length; i++)
        {
            if (text[i - 1] == ' ' && text[i - 2] is '.' or '?' or '!')
                text[i] = char.ToUpperInvariant(text[i]);
        }
        return text.ToString();
    }
}
