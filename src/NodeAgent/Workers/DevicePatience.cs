using System.Globalization;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>
/// How long a device may take over one call. A worker's reader answers while a call blocks, and says what it is; a call that
/// outlasts its time will never end, and its worker is killed, not waited for. Pure.
/// </summary>
/// <param name="Step">Longest step of running generations.</param>
internal sealed record DevicePatience(TimeSpan Step)
{
    private const int LooksPerStep = 4;

    public static DevicePatience Standard { get; } = new(Limits.StepTimeout);

    /// <summary>How often to look: a hang is seen soon after its time is over.</summary>
    public TimeSpan LookEvery =>
        Step / LooksPerStep < Limits.WorkerProbeEvery ? Step / LooksPerStep : Limits.WorkerProbeEvery;

    /// <summary>Why the worker is to be given up; null while the call may still end.</summary>
    public string? Judge(DeviceCall? call)
    {
        if (call is null)
            return null;
        var most = call.Verb switch
        {
            DeviceCall.Step => Step,
            "load" => Limits.LoadTimeout,
            "warmup" => Limits.WarmUpTimeout,
            // Its seconds begin anew with each pass; the first one on a GPU compiles.
            _ when call.Verb.StartsWith("train_", StringComparison.Ordinal) => Limits.TrainPassTimeout,
            _ => Limits.SelfTestTimeout,
        };
        return call.Seconds <= most.TotalSeconds
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"Device hang detected: one {call.Verb} has lasted {call.Seconds:0.0} s, at most {most.TotalSeconds:0.0} s."
            );
    }
}
