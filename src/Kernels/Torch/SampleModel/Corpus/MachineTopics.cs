namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>The parts of a machine.</summary>
internal static class MachineTopics
{
    public static readonly Topic[] All =
    [
        new(
            "a GPU",
            "A GPU is a chip that does many small calculations at the same time.",
            "It was first made to draw pictures.",
            "Today it also runs language models.",
            "A GPU has its own fast memory.",
            "It grows warm when it works hard."
        ),
        new(
            "an eGPU",
            "An eGPU is a graphics card in a box outside the computer.",
            "It is connected with a Thunderbolt cable.",
            "It gives a small Mac more power.",
            "The box has its own fan and power supply."
        ),
        new(
            "a CPU",
            "A CPU is the main chip of a computer.",
            "It follows instructions one after another, very fast.",
            "Every computer has one.",
            "It can run small models, too."
        ),
        new(
            "a Mac",
            "A Mac is a computer made by Apple.",
            "Many Macs are small and quiet.",
            "A Mac mini fits in one hand.",
            "New Macs share one memory between CPU and GPU."
        ),
        new(
            "a cable",
            "A cable carries power or data from one machine to another.",
            "A short cable is often faster than a long one.",
            "If nothing works, look at the cable first.",
            "A loose cable can stop a whole fleet."
        ),
        new(
            "Thunderbolt",
            "Thunderbolt is a fast connection for screens, disks and GPUs.",
            "The plug looks like USB-C.",
            "One cable carries data and power.",
            "A good Thunderbolt cable is short."
        ),
        new(
            "a fan",
            "A fan blows warm air out of a machine.",
            "A loud fan may need cleaning.",
            "When the GPU works hard, the fan turns faster.",
            "Dust makes a fan slow and noisy."
        ),
        new(
            "memory",
            "Memory is the place where a computer keeps what it is working on.",
            "A big model needs a lot of memory.",
            "When the power goes off, memory forgets everything.",
            "Data in memory can be read very fast."
        ),
        new(
            "a disk",
            "A disk keeps files even when the power is off.",
            "It is slower than memory.",
            "Models are stored on a disk before they are loaded.",
            "It is wise to keep a copy of an important disk."
        ),
        new(
            "a network",
            "A network connects computers so that they can talk to each other.",
            "A cable is faster than Wi-Fi.",
            "Every machine in a network has an address.",
            "Messages in a network can be late or get lost."
        ),
        new(
            "a server",
            "A server is a computer that answers requests from others.",
            "It works day and night.",
            "A server often has no screen.",
            "Good servers write down what they do."
        ),
        new(
            "a driver",
            "A driver is a small program that lets the system use a device.",
            "Without a driver, a GPU is only a warm box.",
            "Drivers should be kept up to date."
        ),
    ];
}
