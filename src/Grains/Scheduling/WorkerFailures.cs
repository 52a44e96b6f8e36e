using EgpuFleet.Grains.Interfaces.Execution;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>Failures after which a device's worker is not there any more, nor anything that ran in it; as agents report them.</summary>
internal static class WorkerFailures
{
    private const string Lost = "worker_lost";
    private const string Hung = "worker_hung";

    public static bool IsLoss(ShardFailure? failure) => failure?.Code is Lost or Hung;
}
