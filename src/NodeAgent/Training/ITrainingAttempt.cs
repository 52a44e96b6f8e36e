using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>A run, or a member's part of a shared one, in one worker.</summary>
internal interface ITrainingAttempt
{
    /// <summary>Step or round it went on from; -1 until it is known.</summary>
    long Started { get; }

    /// <summary>Step or round it has come to.</summary>
    long Reached { get; }

    Task<TrainingOutcome> RunAsync(WorkerProcess process, CancellationToken stopping);
}
