namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>The words of scheduling and of language models.</summary>
internal static class WorkTopics
{
    public static readonly Topic[] All =
    [
        new(
            "a job",
            "A job is a piece of work that someone gives to the fleet.",
            "A job can hold many prompts.",
            "Big jobs are cut into shards.",
            "A job is done when every answer is there."
        ),
        new(
            "a shard",
            "A shard is the part of a job that runs on one device.",
            "Shards of one job can run at the same time.",
            "If a node is lost, its shards run on another node.",
            "A fast device gets more shards."
        ),
        new(
            "a scheduler",
            "A scheduler decides which work runs on which device and when.",
            "It looks at the whole fleet before it decides.",
            "A good scheduler keeps no device idle.",
            "It is fair to everyone who waits."
        ),
        new(
            "a fleet",
            "A fleet is a group of machines that work together.",
            "A fleet can be two Macs on one desk.",
            "Every machine of a fleet is called a node.",
            "When one machine fails, the others go on."
        ),
        new(
            "a node",
            "A node is one machine of the fleet.",
            "A node can have several devices.",
            "Every node says that it is alive by a heartbeat.",
            "A node may come and go at any time."
        ),
        new(
            "a device",
            "A device is one GPU or CPU that does the work.",
            "Each device has its own worker.",
            "A device runs one model at a time.",
            "The scheduler knows how fast each device is."
        ),
        new(
            "a worker",
            "A worker is a small process that runs a model on one device.",
            "If a worker crashes, the node starts a new one.",
            "A worker reads prompts and writes tokens."
        ),
        new(
            "a lease",
            "A lease is a promise that one device may work on one shard for some time.",
            "When a lease runs out, the work is given to another device.",
            "Every lease has a number that only grows."
        ),
        new(
            "a queue",
            "A queue is a line in which jobs wait for their turn.",
            "The most important job stands at the front.",
            "A short queue makes people happy.",
            "Nobody should wait in the queue forever."
        ),
        new(
            "a heartbeat",
            "A heartbeat is a short message that says, \"I am still here.\"",
            "When the heartbeat stops, the fleet looks for the node.",
            "Heartbeats are small and come every few seconds."
        ),
        new(
            "a ledger",
            "A ledger is the book in which the fleet writes what is done.",
            "What is in the ledger is never lost.",
            "Every answer is written into the ledger exactly once."
        ),
        new(
            "a checkpoint",
            "A checkpoint is a saved state from which work can go on.",
            "After a crash, training goes on from the last checkpoint.",
            "It is good to write checkpoints often."
        ),
        new(
            "a batch",
            "A batch is a group of prompts that are sent together.",
            "A batch is cheaper than many single calls.",
            "The answers of a batch come back in a file."
        ),
        new(
            "a prompt",
            "A prompt is the text that is given to a language model.",
            "A clear prompt gets a clear answer.",
            "A prompt can be a question or the start of a story."
        ),
        new(
            "a token",
            "A token is a small piece of text, often a part of a word.",
            "A model reads and writes tokens, one after another.",
            "The speed of a model is counted in tokens per second."
        ),
        new(
            "a language model",
            "A language model is a program that guesses the next piece of text.",
            "It learns from many examples.",
            "A small model is quick, and a big model knows more.",
            "It can make mistakes, so check what it says."
        ),
        new(
            "training",
            "Training is how a model learns from examples.",
            "In training, the loss should go down.",
            "Training takes much longer than answering."
        ),
        new(
            "a backup",
            "A backup is a copy that is kept in a safe place.",
            "A backup is only good if it can be read again.",
            "Make a backup before you need it."
        ),
    ];
}
