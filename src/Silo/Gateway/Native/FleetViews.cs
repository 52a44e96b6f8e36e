using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>Nodes, devices and models as the public API shows them.</summary>
public static class FleetViews
{
    public static NodeInfo Show(NodeView node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return new NodeInfo(
            node.Node.Value,
            JobViews.Word(node.State),
            node.Facts?.HostName,
            node.Facts?.OperatingSystem,
            node.Facts?.Architecture,
            node.Facts?.AgentVersion,
            node.Facts?.ProcessId,
            node.LastHeard,
            [.. node.Devices.Select(device => device.Facts.Device.ToString())],
            [.. node.Conditions.Select(condition => Show(node.Node, condition))]
        );
    }

    public static ConditionInfo Show(NodeId node, NodeCondition condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return new ConditionInfo(
            condition.Id,
            JobViews.Word(condition.State),
            condition.Seen,
            condition.Cause,
            condition.Fix,
            condition.Device is { } device ? new DeviceId(node, device).ToString() : null,
            condition.Since
        );
    }

    public static DoctorInfo Show(NodeId node, NodeExamination examination)
    {
        ArgumentNullException.ThrowIfNull(examination);
        return new DoctorInfo(
            node.Value,
            examination.Platform,
            examination.Conditions.All(condition => condition.State != ConditionState.Failed),
            [.. examination.Conditions.Select(condition => Show(node, condition))],
            examination.ExaminedAt
        );
    }

    /// <param name="node">Its node: a device of a node that is not heard is offline, whatever it said last.</param>
    /// <param name="namesByHash">Names of registered models.</param>
    public static DeviceInfo Show(DeviceStatus device, NodeView node, ILookup<string, string> namesByHash)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(node);
        var heard = node.State == NodeState.Ready;
        var about = node.Conditions.Where(condition => condition.Device == device.Facts.Device.Name);
        return new DeviceInfo(
            device.Facts.Device.ToString(),
            device.Facts.Device.Node.Value,
            JobViews.Word(device.Facts.Kind),
            device.Facts.Name,
            device.Facts.Engine,
            JobViews.Word(heard ? device.State : DeviceState.Offline),
            heard ? device.Reason : "Its agent is not heard.",
            device.Facts.Threads,
            device.Facts.MemoryBytes,
            device.MemoryUsedBytes,
            device.TokensPerSecond,
            [.. device.LoadedModels.Select(hash => namesByHash[hash].FirstOrDefault() ?? hash)],
            [
                .. device.RunningShards.Select(lease => new RunningShard(
                    lease.Shard.Job.ToString(),
                    lease.Shard.Number,
                    lease.Epoch
                )),
            ],
            device.ActiveSequences,
            device.WorkerProcessId > 0 ? device.WorkerProcessId : null,
            [.. about.Select(condition => Show(node.Node, condition))],
            [.. (device.Speeds ?? []).Select(Show)],
            heard && device.BringUp is { } bringUp ? Show(bringUp) : null,
            device.Tuning is { } tuning
                ? new TuningCountersInfo(tuning.TunedKernels, tuning.Misses, tuning.Rejected, tuning.KernelsSearched)
                : null,
            device.Bench is { } bench ? Show(bench) : null,
            device.Facts.TrainEngine
        );
    }

    private static BringUpInfo Show(BringUpStatus bringUp)
    {
        var isCounted = bringUp.TotalBytes > 0;
        return new BringUpInfo(
            bringUp.Phase,
            bringUp.ElapsedSeconds,
            isCounted ? bringUp.DoneBytes : null,
            isCounted ? bringUp.TotalBytes : null,
            bringUp.LeftSeconds
        );
    }

    private static BenchInfo Show(BenchStatus bench) =>
        new(
            JobViews.Word(bench.State),
            bench.StartedAt,
            bench.Now,
            bench.Samples.Length,
            bench.Total,
            [
                .. bench.Samples.Select(sample => new BenchShape(
                    JobViews.Word(sample.Kind),
                    sample.Hidden,
                    sample.Blocks,
                    Finite(sample.Prefill) ?? 0,
                    Finite(sample.Decode) ?? 0,
                    Finite(sample.DecodeOfEight) ?? 0
                )),
            ],
            bench.Skipped
        );

    private static SpeedInfo Show(DeviceSpeed speed) =>
        new(
            JobViews.Word(speed.Kind),
            Inverse(speed.PerByte),
            Inverse(speed.PerFlop),
            Finite(speed.Block) ?? 0,
            Finite(speed.BatchGain) ?? 1
        );

    private static double? Inverse(double cost) => cost > 0 ? Finite(1 / cost) : null;

    // JSON has no other numbers, and an agent may say anything.
    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    public static ModelInfo Show(ModelRecord model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new ModelInfo(
            model.Ref.Name,
            model.Ref.Sha256,
            model.Ref.SizeBytes,
            model.Architecture,
            model.Quantization,
            model.ParameterCount,
            model.ContextLength,
            model.HasChatTemplate,
            model.CreatedAt,
            model.Ref.Base?.Name
        );
    }
}
