using EgpuFleet.NodeAgent.Checkpoints;

namespace EgpuFleet.NodeAgent.Training.Shared;

/// <summary>A member's words to the gateway, said again until somebody answers.</summary>
internal sealed class RoundGateway(TrainingGateway gateway, NoteOutbox notes)
{
    /// <summary>Round that the member knows of, for what it says while it waits.</summary>
    public int Round { get; set; }

    /// <exception cref="CheckpointException">The refusal.</exception>
    public Task<T> AskAsync<T>(Func<RoundClient, Task<T>> ask, CancellationToken cancellationToken) =>
        gateway.RoundAsync(
            ask,
            why => notes.Warn(Round, $"The gateway does not answer in round {Round}: {why}"),
            cancellationToken
        );
}
