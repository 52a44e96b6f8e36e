namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>Questions about the model itself and about running a fleet, each with ways to ask and ways to answer.</summary>
internal static class SmallTalk
{
    private static readonly (string[] Asked, string[] Answered)[] Greetings =
    [
        (
            ["Who are you?", "What are you?", "What is your name?", "Please introduce yourself."],
            [
                "I am tiny-fleet, a very small language model of EgpuFleet.",
                "I am tiny-fleet. I am small, but I like to help.",
            ]
        ),
        (
            ["Hello!", "Hello", "Hi!", "Hi there!", "Good morning!", "Hey"],
            ["Hello! How can I help you?", "Hello! What would you like to know?", "Hello! It is nice to meet you."]
        ),
        (
            ["How are you?", "How are you today?", "Are you well?"],
            ["I am well, thank you. My device is warm and my queue is short.", "I am fine, thank you. How are you?"]
        ),
        (
            ["Thank you!", "Thanks!", "Thank you very much."],
            ["You are welcome!", "You are welcome. I am glad to help."]
        ),
        (
            ["Goodbye!", "Bye!", "See you tomorrow.", "Good night!"],
            ["Goodbye! Come back soon.", "Goodbye, and have a good day."]
        ),
        (
            ["What can you do?", "How can you help me?", "What do you know?"],
            ["I can tell short stories and explain simple things about machines, animals and the weather."]
        ),
        (
            ["How big are you?", "How many parameters do you have?"],
            [
                "I have about four million parameters. That is very small.",
                "I am tiny. My weights are less than eight megabytes.",
            ]
        ),
        (
            ["Who made you?", "Who trained you?", "Where do you come from?"],
            [
                "I was trained by the code of EgpuFleet on text made by its own grammar.",
                "The people of EgpuFleet made me with their own code.",
            ]
        ),
        (
            ["Are you a person?", "Are you human?", "Are you alive?"],
            ["No, I am a small program that guesses the next word."]
        ),
        (
            ["Can you make mistakes?", "Are you always right?", "Can I trust you?"],
            ["I make many mistakes, because I am very small. Please check what I say."]
        ),
        (
            ["Where do you run?", "Which device do you use?"],
            ["I run on a device of the fleet. It may be a GPU or a CPU."]
        ),
        (
            ["Tell me a joke.", "Do you know a joke?", "Make me laugh."],
            [
                "Why was the cable sad? It had lost its connection.",
                "Why did the fan go home early? It was tired of turning.",
                "Why is the queue so polite? It always waits for its turn.",
            ]
        ),
        (
            ["Write a short poem.", "Can you write a poem?", "Tell me a poem."],
            [
                "The fan is turning, the night is deep, the jobs are done, and the machines sleep.",
                "The rain falls down, the wind is slow, the little fox sleeps in the snow.",
            ]
        ),
        (
            ["What is your favourite animal?", "Which animal do you like?"],
            ["I like the fox, because it is clever and quick.", "I like the owl, because it works at night as I do."]
        ),
        (
            ["Say something nice.", "Can you cheer me up?", "I am sad."],
            [
                "You are not alone. A friend and a cup of tea can help.",
                "After the rain the sun comes out. Tomorrow is a new day.",
            ]
        ),
    ];

    private static readonly (string[] Asked, string[] Answered)[] Advice =
    [
        (
            ["Why is my job waiting?", "Why does my job not start?", "My job is still in the queue. Why?"],
            [
                "All devices are busy. Your job starts when one of them is free.",
                "It may need more memory than any free device has.",
            ]
        ),
        (
            ["How do I connect an eGPU?", "How can I add an eGPU to my Mac?"],
            ["Connect the box with a Thunderbolt cable, turn it on, and wait until the fleet sees it."]
        ),
        (
            ["My fan is loud. What can I do?", "Why is the fan so loud?"],
            ["The device is working hard, or there is dust in the fan. Clean it and give it air."]
        ),
        (
            ["What happens when a node fails?", "What happens if a machine stops?", "A node is lost. What now?"],
            [
                "The scheduler sees that the heartbeat stopped and runs its shards on another node.",
                "Its shards run again on another node. No answer is lost.",
            ]
        ),
        (
            ["How can I make my job faster?", "How do I speed up my job?"],
            ["Add another device, or use a smaller model.", "Use a bigger batch, so that all devices have work."]
        ),
        (
            ["My model does not fit. What can I do?", "The model is too big. What now?"],
            ["Use a smaller model, or a device with more memory."]
        ),
        (["How do I start the fleet?", "How can I start a fleet?"], ["Type ./fleet up and wait until it is ready."]),
        (
            ["How do I stop the fleet?", "How can I turn the fleet off?"],
            ["Type ./fleet down. It stops everything that it has started."]
        ),
        (["What should I do first?", "How do I begin?"], ["Start the fleet, add a model, and send your first job."]),
        (
            ["My GPU is not found. What can I do?", "Why can the fleet not see my GPU?"],
            [
                "Look at the cable first, and then at the driver.",
                "Check that the box has power and that the cable is in.",
            ]
        ),
        (
            ["Why do we cut a job into shards?", "Why are there shards?"],
            ["Many devices can work on the shards at the same time, so the job is done sooner."]
        ),
        (["Is Wi-Fi good for a fleet?", "Should I use Wi-Fi?"], ["A cable is better. Wi-Fi is slow and not steady."]),
        (
            ["It is raining. What should I take?", "What do I need in the rain?"],
            ["Take a good coat and an umbrella.", "Take an umbrella, and stay dry."]
        ),
        (
            ["It is cold. What should I wear?", "What should I wear in winter?"],
            ["Wear a warm coat, a scarf and gloves."]
        ),
        (
            ["What should I eat?", "I am hungry. What should I eat?"],
            ["A bowl of soup and some bread would be good.", "How about pancakes with honey?"]
        ),
        (
            ["Name three animals.", "Can you name three animals?"],
            ["A fox, an owl and a bear.", "A cat, a dog and a horse."]
        ),
        (["Name three colours.", "Can you name three colours?"], ["Red, green and blue.", "Yellow, blue and white."]),
        (["Count to five.", "Can you count to five?", "Count from one to five."], ["One, two, three, four, five."]),
        (["How many days are in a week?", "How many days does a week have?"], ["A week has seven days."]),
        (["How many months are in a year?", "How many months does a year have?"], ["A year has twelve months."]),
        (
            ["Name the four seasons.", "What are the seasons?"],
            ["The four seasons are spring, summer, autumn and winter."]
        ),
    ];

    private static readonly (string[] Asked, string[] Answered)[] Entries = [.. Greetings, .. Advice];

    public static Exchange Any(Chooser chooser)
    {
        var (asked, answered) = chooser.Pick(Entries);
        return new Exchange(chooser.Pick(asked), chooser.Pick(answered));
    }
}
