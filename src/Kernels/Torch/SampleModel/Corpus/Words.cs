namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>Plain lists that stories and scenes draw from.</summary>
internal static class Words
{
    public static readonly string[] HerNames =
    [
        "Lina",
        "Mia",
        "Nora",
        "Ada",
        "Ella",
        "Rosa",
        "Zoe",
        "Ivy",
        "Grace",
        "Tilda",
    ];

    public static readonly string[] HisNames =
    [
        "Pip",
        "Max",
        "Otto",
        "Leo",
        "Finn",
        "Hugo",
        "Sam",
        "Theo",
        "Bruno",
        "Alan",
    ];

    public static readonly string[] Places =
    [
        "the old forest",
        "the green meadow",
        "a small village",
        "the quiet valley",
        "the river bank",
        "the big garden",
        "the windy hill",
        "a town by the sea",
        "the apple orchard",
        "the snowy mountain",
    ];

    public static readonly string[] Things =
    [
        "a silver key",
        "a red ball",
        "a small lamp",
        "a blue kite",
        "a golden bell",
        "a warm scarf",
        "a wooden boat",
        "an old map",
        "a shiny stone",
        "a little drum",
        "a picture book",
        "a brass compass",
    ];

    public static readonly string[] Foods =
    [
        "bread",
        "soup",
        "apples",
        "honey",
        "cheese",
        "berries",
        "pancakes",
        "cake",
        "pears",
        "nuts",
    ];

    public static readonly string[] Weathers =
    [
        "sunny",
        "rainy",
        "windy",
        "cold",
        "foggy",
        "warm",
        "snowy",
        "cloudy",
        "bright",
        "stormy",
    ];

    public static readonly string[] Times = ["morning", "afternoon", "evening", "day", "night"];

    public static readonly string[] Days =
    [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];

    public static readonly string[] Months =
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];

    public static readonly string[] Numbers =
    [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    ];

    public static readonly (string Word, string Opposite)[] Opposites =
    [
        ("hot", "cold"),
        ("big", "small"),
        ("fast", "slow"),
        ("day", "night"),
        ("up", "down"),
        ("happy", "sad"),
        ("light", "dark"),
        ("full", "empty"),
        ("open", "closed"),
        ("loud", "quiet"),
        ("wet", "dry"),
        ("old", "new"),
        ("near", "far"),
        ("early", "late"),
        ("strong", "weak"),
        ("busy", "idle"),
        ("soft", "hard"),
        ("high", "low"),
        ("first", "last"),
        ("long", "short"),
    ];

    public static readonly (string Thing, string Colour)[] Colours =
    [
        ("the sky on a clear day", "blue"),
        ("grass", "green"),
        ("snow", "white"),
        ("a ripe banana", "yellow"),
        ("a fox", "red"),
        ("the night", "black"),
        ("an elephant", "grey"),
        ("a carrot", "orange"),
        ("a bear", "brown"),
        ("the sun", "yellow"),
        ("a frog", "green"),
        ("a cherry", "red"),
    ];
}
