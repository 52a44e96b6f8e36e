namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>Troubles of the forest, the river and the weather.</summary>
internal static class NaturePlots
{
    public static readonly Plot[] All =
    [
        new(
            [
                "One {weather} {time}, {name} lost {thing} near {place}.",
                "One {time}, {name} could not find {thething} that {he} loved.",
                "But on {day}, {thing} was gone, and {name} was sad.",
            ],
            [
                "{he} looked under every leaf and behind every stone.",
                "{he} searched until {his} feet were tired.",
                "{he} asked the wind, but the wind did not answer.",
            ],
            [
                "Then {friend} the {other} came by and said, \"I will help you look.\"",
                "A {otheradj} {other} named {friend} had seen it by the water.",
                "{friend} the {other} held up a light, and they searched together.",
            ],
            [
                "They found {thething} under a bush, and {name} laughed with joy.",
                "At last they saw {thething} in the grass, and {name} thanked {friend}.",
                "There it was, safe and dry, and the two friends went home together.",
            ]
        ),
        new(
            [
                "One {time}, a great storm came over {place}.",
                "Dark clouds came, and the rain fell for hours.",
                "Suddenly the wind blew hard and the sky turned grey.",
            ],
            [
                "{name} ran to a tree, but the leaves let the rain through.",
                "{name} had no roof and began to shake with cold.",
                "{name} tried to build a roof of leaves, but the wind took it away.",
            ],
            [
                "A door opened, and {friend} the {other} said, \"Come in, it is warm here.\"",
                "{friend} the {other} called from a dry place and made room.",
                "Then {friend} the {other} came with a big blanket.",
            ],
            [
                "They drank hot soup until the sun came out again.",
                "They told stories until the storm was over.",
                "When the sky was blue again, they were good friends.",
            ]
        ),
        new(
            [
                "One {weather} {time}, {name} found a basket full of {food}.",
                "{name} had more {food} than {he} could eat.",
                "On {day}, {name} made a lot of {food}.",
            ],
            [
                "{he} wanted to keep it all, but {his} belly was soon full.",
                "{he} ate and ate, but eating alone was no fun.",
                "{he} sat down to eat, but then {he} saw a hungry face.",
            ],
            [
                "{friend} the {other} had nothing to eat that day.",
                "A {otheradj} {other} named {friend} looked at the food and said nothing.",
                "{friend} the {other} asked, \"May I have a little?\"",
            ],
            [
                "{name} shared the {food}, and it tasted twice as good.",
                "They ate together, and both of them were glad.",
                "So they sat side by side and ate until the moon came up.",
            ]
        ),
        new(
            [
                "{name} had one secret: {he} was afraid of the dark.",
                "When night came, {name} could not sleep.",
                "Every night {name} heard a strange sound outside.",
            ],
            [
                "{he} hid under the blanket and counted to ten.",
                "{he} closed {his} eyes, but the dark was still there.",
                "{he} lit a small lamp, but the light went out.",
            ],
            [
                "{friend} the {other} said, \"Look up, the stars are little lamps.\"",
                "{friend} the {other} came and showed {him} the moon.",
                "\"It is only the wind,\" said {friend} the {other}.",
            ],
            [
                "After that, {name} slept well every night.",
                "{name} looked at the stars and was not afraid any more.",
                "Now {name} says good night to the dark as to a friend.",
            ]
        ),
        new(
            [
                "The river was high, and {name} could not get to the other side.",
                "One {time}, the old bridge broke.",
                "{name} wanted to visit {friend}, but there was no bridge.",
            ],
            [
                "{he} pushed a log into the water, but it was too short.",
                "{he} tried to jump, but the river was too wide.",
                "{he} threw stones into the water, but they sank.",
            ],
            [
                "{friend} the {other} brought a long rope and a good plan.",
                "{friend} the {other} worked from one side, and {name} worked from the other.",
                "\"Let us build a new one together,\" said {friend} the {other}.",
            ],
            [
                "By evening the bridge was strong, and everyone used it.",
                "They met in the middle of the new bridge and laughed.",
                "Since then, the bridge has never broken again.",
            ]
        ),
        new(
            [
                "One {time}, the fog was so thick that {name} lost the way.",
                "{name} walked too far and did not know the path home.",
                "In {place}, all the paths looked the same.",
            ],
            [
                "{he} went left, then right, and came back to the same tree.",
                "{he} called out, but only the hill answered.",
                "{he} sat down on a stone and tried to think.",
            ],
            [
                "Then {he} heard the voice of {friend} the {other}.",
                "{friend} the {other} knew every path and walked in front.",
                "{friend} the {other} rang a bell so that {name} could follow the sound.",
            ],
            [
                "Soon they saw a light in the window and were home.",
                "{name} drew a map, so that nobody would be lost again.",
                "From that day, {name} always left small stones on the path.",
            ]
        ),
        new(
            [
                "{name} and {friend} the {other} had a race.",
                "On {day}, there was a great race in {place}.",
                "\"I am faster than you,\" said {friend} the {other}.",
            ],
            [
                "{friend} ran so fast that the dust flew up.",
                "At first {name} was far behind.",
                "{name} did not run fast, but {he} did not stop.",
            ],
            [
                "In the middle of the race, {friend} fell and hurt a foot.",
                "Then {friend} fell asleep under a tree.",
                "Near the end, {friend} slipped in the mud.",
            ],
            [
                "{name} stopped to help, and they crossed the line together.",
                "{name} woke {friend} up, and they both won.",
                "In the end nobody cared who was first, for they had fun.",
            ]
        ),
        new(
            [
                "It did not rain for weeks, and the garden was dry.",
                "The flowers in {place} began to hang their heads.",
                "{name} had planted seeds, but nothing grew.",
            ],
            [
                "{he} carried water in a cup, but it was not enough.",
                "{he} sang to the plants, but they needed water.",
                "{he} waited and waited and looked at the sky.",
            ],
            [
                "{friend} the {other} dug a small channel from the river.",
                "{friend} the {other} brought a big bucket, and they went to the well.",
                "{friend} the {other} said, \"If we all carry a little, it will be enough.\"",
            ],
            [
                "In a few days the garden was green again.",
                "Soon there were flowers of every colour.",
                "In the summer they ate the first tomatoes together.",
            ]
        ),
        new(
            [
                "Winter came, and the house of {name} was cold.",
                "The first snow fell, and {name} had no wood.",
                "One {time}, everything was white and still.",
            ],
            [
                "{he} put on two coats, but {he} was still cold.",
                "{he} blew on {his} hands to warm them.",
                "{he} looked for dry wood, but all of it was wet.",
            ],
            [
                "{friend} the {other} came with dry wood on a sledge.",
                "{friend} the {other} said, \"My house is warm, and there is room for two.\"",
                "{friend} the {other} gave {him} a thick blanket.",
            ],
            [
                "They sat by the fire and waited for spring.",
                "That winter was the warmest of all.",
                "When spring came, they planted a tree together.",
            ]
        ),
        new(
            [
                "{name} was new in {place} and knew nobody.",
                "{name} had no friends and played alone.",
                "One {time}, {name} sat alone by the water.",
            ],
            [
                "{he} wanted to say hello, but {he} was shy.",
                "{he} hummed a song so as not to feel alone.",
                "{he} watched the others from behind a tree.",
            ],
            [
                "{friend} the {other} heard the song and sang along.",
                "{friend} the {other} asked, \"Do you want to play with us?\"",
                "{friend} the {other} rolled a ball to {him}.",
            ],
            [
                "From that day, {name} was never alone.",
                "They played until the sun went down.",
                "It takes only one hello to make a friend.",
            ]
        ),
    ];
}
