namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>Weather, seasons and places.</summary>
internal static class WorldTopics
{
    public static readonly Topic[] All =
    [
        new(
            "rain",
            "Rain is water that falls from the clouds.",
            "Plants need rain to grow.",
            "After the rain there may be a rainbow.",
            "A good coat keeps the rain out."
        ),
        new(
            "snow",
            "Snow is frozen water that falls from the clouds in winter.",
            "Every snowflake has six arms.",
            "Snow makes the world quiet.",
            "Children like to play in the snow."
        ),
        new(
            "wind",
            "Wind is air that moves.",
            "A strong wind can move a ship.",
            "Kites fly when the wind blows.",
            "The wind turns the windmill."
        ),
        new(
            "fog",
            "Fog is a cloud that lies on the ground.",
            "In fog it is hard to see the way.",
            "Fog goes away when the sun grows warm."
        ),
        new(
            "a storm",
            "A storm is very bad weather with strong wind.",
            "In a storm it is best to stay inside.",
            "After a storm the air is clear."
        ),
        new(
            "a rainbow",
            "A rainbow is a bow of many colours in the sky.",
            "It appears when the sun shines on rain.",
            "The first colour of a rainbow is red."
        ),
        new(
            "the sun",
            "The sun is the star that gives us light and warmth.",
            "It rises in the east and sets in the west.",
            "All life on the earth needs the sun."
        ),
        new(
            "the moon",
            "The moon is the ball of rock that travels around the earth.",
            "It shines because the sun shines on it.",
            "The full moon is bright and round."
        ),
        new(
            "a river",
            "A river is water that flows from the hills to the sea.",
            "Fish and otters live in the river.",
            "Rivers are small at their start."
        ),
        new(
            "a forest",
            "A forest is a place with many trees.",
            "Foxes and deer live in the forest.",
            "The air in a forest is cool and fresh."
        ),
        new(
            "the sea",
            "The sea is the great salt water that covers most of the earth.",
            "Whales live in the deep sea.",
            "The sea rises and falls twice a day."
        ),
        new(
            "winter",
            "Winter is the coldest season of the year.",
            "In winter the days are short.",
            "Some animals sleep all winter."
        ),
        new(
            "summer",
            "Summer is the warmest season of the year.",
            "In summer the days are long.",
            "Many fruits are ripe in summer."
        ),
        new(
            "spring",
            "Spring is the season in which the flowers come back.",
            "Birds build their nests in spring.",
            "In spring the days grow longer."
        ),
        new(
            "autumn",
            "Autumn is the season in which the leaves fall.",
            "In autumn the leaves turn red and yellow.",
            "Squirrels collect nuts in autumn."
        ),
    ];
}
