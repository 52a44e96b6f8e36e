namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>Troubles with computers, which a friend can solve as well.</summary>
internal static class MachinePlots
{
    public static readonly Plot[] All =
    [
        new(
            [
                "{name} had an old computer with a fan that was very loud.",
                "One {time}, the fan of the computer made a terrible noise.",
                "The computer grew hot, and {name} did not know why.",
            ],
            [
                "{he} turned it off and on again, but nothing changed.",
                "{he} put a pillow in front of it, and it grew even hotter.",
                "{he} knocked on the box, but the noise did not stop.",
            ],
            [
                "{friend} the {other} opened the box and found it full of dust.",
                "\"Machines need air,\" said {friend} the {other}.",
                "{friend} the {other} took a soft brush and cleaned the fan.",
            ],
            [
                "Now the fan turns so quietly that one can hear the birds.",
                "The computer was cool again and thanked them with a beep.",
                "Since then, {name} cleans the fan every month.",
            ]
        ),
        new(
            [
                "{name} had a hundred jobs and only one small computer.",
                "One {time}, there was too much work for one machine.",
                "The computer of {name} worked all night and was still not done.",
            ],
            [
                "{he} told it to hurry, but it could not go faster.",
                "The queue grew longer and longer.",
                "{he} waited and drank three cups of tea.",
            ],
            [
                "{friend} the {other} brought a second computer and a cable.",
                "{friend} the {other} said, \"Give half of the work to my machine.\"",
                "\"Let us cut the job into shards,\" said {friend} the {other}.",
            ],
            [
                "Two machines did the work in half the time.",
                "Each machine took a part, and soon all was done.",
                "In the end, all answers came back in the right order.",
            ]
        ),
        new(
            [
                "On {day}, the light of the GPU went out.",
                "{name} pressed the button, but the GPU did not start.",
                "One {time}, the screen of {name} stayed black.",
            ],
            [
                "{he} read the whole book of rules and found nothing.",
                "{he} wrote a long letter to the maker.",
                "{he} started the Mac three times.",
            ],
            [
                "{friend} the {other} looked behind the desk and smiled.",
                "\"Is the cable in?\" asked {friend} the {other}.",
                "{friend} the {other} found a loose cable on the floor.",
            ],
            [
                "They put the cable in, and the light came on.",
                "It was only the cable, and they laughed about it.",
                "Now {name} looks at the cable first.",
            ]
        ),
        new(
            [
                "The memory of the little computer was full.",
                "{name} wanted to load a big model, but it did not fit.",
                "One {time}, the computer said, \"I have no more memory.\"",
            ],
            [
                "{he} tried again, and the answer was the same.",
                "{he} closed one window, but it was not enough.",
                "{he} pushed, but a big model does not fit into a small box.",
            ],
            [
                "{friend} the {other} said, \"Take a smaller model.\"",
                "{friend} the {other} had a GPU with more memory.",
                "{friend} the {other} showed {him} how to put old things away.",
            ],
            [
                "The small model was quick and gave a good answer.",
                "After that, there was room for everything.",
                "It fits now, and everyone is glad.",
            ]
        ),
        new(
            [
                "In the middle of the night, one of the machines stopped.",
                "One {time}, a node of the fleet fell asleep in the middle of its work.",
                "The power went out, and half of the work was lost, or so it seemed.",
            ],
            [
                "{name} was afraid that all the work was gone.",
                "{name} counted the answers, and ten were missing.",
                "{name} looked for the missing shards.",
            ],
            [
                "\"Do not worry,\" said {friend} the {other}, \"the ledger knows what is done.\"",
                "{friend} the {other} gave the shards to another machine.",
                "The scheduler saw it and sent the shards to another node.",
            ],
            [
                "In the morning every answer was there, exactly once.",
                "Nothing was lost, and nothing was done twice.",
                "The job was finished before breakfast.",
            ]
        ),
    ];
}
