using EgpuFleet.Benchmarks.Checkpoints;
using EgpuFleet.Benchmarks.Load;
using EgpuFleet.Benchmarks.Raw;

namespace EgpuFleet.Benchmarks.Processes;

/// <summary>What a benchmark starts this very program for.</summary>
internal static class ChildVerbs
{
    /// <summary>Returns when it is done; false: there is no such verb.</summary>
    public static async Task<bool> RunAsync(string verb, TimeProvider clock, CancellationToken cancellationToken)
    {
        var task = Environment.GetEnvironmentVariable(ChildRun.TaskVariable) ?? "";
        switch (verb)
        {
            case LoadProcess.Verb:
                await LoadProcess.RunAsync(task, clock, cancellationToken);
                return true;
            case RawWriter.Verb:
                await RawWriter.RunAsync(task, clock, cancellationToken);
                return true;
            case HttpsCheckpoints.Verb:
                await HttpsCheckpoints.ServeAsync(task, cancellationToken);
                return true;
            case CannedResponder.Verb:
                await CannedResponder.RunAsync(cancellationToken);
                return true;
            default:
                return false;
        }
    }
}
