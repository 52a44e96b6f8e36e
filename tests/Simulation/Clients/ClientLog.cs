using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.Simulation.Tests.Clients;

/// <summary>What the clients of a run saw, all of them together.</summary>
internal sealed class ClientLog
{
    public List<SubmitCall> Submits { get; } = [];
    public List<CancelCall> Cancels { get; } = [];
    public List<JobSighting> Sightings { get; } = [];
    public List<ResultSighting> Results { get; } = [];

    /// <summary>Reports that agents were told are durable.</summary>
    public List<ShardReport> AcceptedReports { get; } = [];

    /// <summary>When jobs were created, as the answers to their submits said.</summary>
    public List<(JobId Job, DateTimeOffset At)> CreatedAt { get; } = [];

    /// <summary>Jobs that were acknowledged.</summary>
    public List<JobId> Known { get; } = [];

    public static JobPhase PhaseOf(JobState state) =>
        state switch
        {
            JobState.Running or JobState.Paused => JobPhase.Running,
            JobState.Succeeded => JobPhase.Succeeded,
            JobState.Failed => JobPhase.Failed,
            JobState.Cancelled => JobPhase.Cancelled,
            _ => JobPhase.Waiting,
        };

    /// <summary>Everything a result says but under which epoch it was written.</summary>
    public static string DigestOf(ItemResult result) =>
        $"{result.Text}|{result.ErrorCode}|{result.Device}|{result.WorkerProcessId}|{result.DurationMilliseconds}";
}
