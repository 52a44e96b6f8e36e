namespace EgpuFleet.NodeAgent;

/// <summary>Of runs that train: checkpoints, lost workers, data.</summary>
public static partial class Limits
{
    /// <summary>How often something of a home fleet fails: a Mac that is closed, a cable, a power cut.</summary>
    public static readonly TimeSpan MeanTimeToFailure = TimeSpan.FromHours(1);

    /// <summary>A checkpoint is a commit in Postgres and some requests: more of them than one a second help nobody.</summary>
    public static readonly TimeSpan LeastCheckpointInterval = TimeSpan.FromSeconds(1);

    /// <summary>One request of a checkpoint, at one gateway: 8 MiB to a slow disk, or the comparison of all of a state's chunks.</summary>
    public static readonly TimeSpan CheckpointTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Rounds that the data of a shared run is enough for at least, where it has so many samples.</summary>
    public const int LeastRounds = 4;

    /// <summary>Wait before a checkpoint that could not be stored is tried again.</summary>
    public static readonly TimeSpan CheckpointRetry = TimeSpan.FromSeconds(1);

    /// <summary>For one silo to make a trained model's file: the weights are read from Postgres, written twice and hashed.</summary>
    public static readonly TimeSpan PublishTimeout = TimeSpan.FromMinutes(15);

    /// <summary>For a full disk to have room for the last state of a run, until somebody has looked; then it is tried elsewhere.</summary>
    public static readonly TimeSpan StateFileWait = TimeSpan.FromMinutes(10);

    /// <summary>Workers that a run may lose without coming further.</summary>
    public const int TrainingWorkerLosses = 3;

    /// <summary>
    /// For a device's worker that died under a run to come back: a restart with its test takes seconds; where it takes longer
    /// (a card that boots) another device may go on with the run meanwhile.
    /// </summary>
    public static readonly TimeSpan SeatWait = TimeSpan.FromSeconds(20);

    /// <summary>Positions computed at once in training: activations of a small model are some hundred megabytes.</summary>
    public const int PassTokens = 2_048;

    /// <summary>Faults of a training file that its owner is told of in the error.</summary>
    public const int FindingsTold = 3;

    /// <summary>Positions of validation data that are looked at: the mean over them is good to a hundredth.</summary>
    public const int ValidationTokens = 65_536;
}
