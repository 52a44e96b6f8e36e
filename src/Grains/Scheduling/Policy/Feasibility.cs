using System.Globalization;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>Whether a model fits a device, and if it fits none, why a job waits.</summary>
public static class Feasibility
{
    public static long RequiredBytes(ModelRecord model) =>
        ModelMemory.RequiredBytes(model.WeightBytes, model.KvBytesPerToken, model.ContextLength);

    /// <summary>Whether a job may run there, were there room: the device is of a kind it may use, with an engine that can.</summary>
    public static bool Allows(WaitingJob job, DeviceSlot device) =>
        DevicePreference.Allows(job.Devices, device) && HasEngine(job, device);

    /// <summary>Whether the device's engine can do what the job wants: only one engine has kernels to tune.</summary>
    public static bool HasEngine(WaitingJob job, DeviceSlot device) =>
        job.Kind != JobKind.Tune || device.Engine == TuneParameters.Engine;

    /// <summary>It would fit the device's memory if the device were empty.</summary>
    public static bool FitsEmpty(DeviceSlot device, ModelRecord model) => RequiredBytes(model) <= device.MemoryBytes;

    /// <summary>
    /// It fits as the device is: loaded already, or the device is idle and may drop what it holds, or there is room beside
    /// what serves requests there now.
    /// </summary>
    public static bool FitsNow(DeviceSlot device, ModelRecord model)
    {
        var required = RequiredBytes(model);
        if (required > device.MemoryBytes)
            return false;
        return device.ActiveSequences == 0
            || device.LoadedModels.Contains(model.Ref.Sha256)
            || required <= device.MemoryBytes - Math.Max(device.MemoryUsedBytes, 0);
    }

    /// <summary>Why a job got nothing, given that nothing free fitted it.</summary>
    public static Refusal Explain(WaitingJob job, FleetSnapshot snapshot)
    {
        if (job.ParallelLeft <= 0)
            return new Refusal(
                RefusalCode.MaxParallelReached,
                "As many shards of the job run as its max_parallel allows."
            );
        return job.Kind == JobKind.Noop ? ExplainNoop(snapshot) : ExplainModel(job, snapshot);
    }

    private static Refusal ExplainNoop(FleetSnapshot snapshot)
    {
        var fitting = snapshot.Devices.Where(device => device.Ready && device.NoopSlots > 0).ToList();
        if (fitting.Count == 0)
            return NoneReady();
        return fitting.TrueForAll(device => device.FreeNoopSlots == 0) ? Busy() : HeldBack();
    }

    private static Refusal ExplainModel(WaitingJob job, FleetSnapshot snapshot)
    {
        if (job.Model is not { } model)
            return new Refusal(
                RefusalCode.ModelNotFound,
                "The model of the job is not registered any more.",
                "Register the model again under its name."
            );
        var ready = snapshot.Devices.Where(device => device.Ready && Allows(job, device)).ToList();
        if (ready.Count == 0 && job.Kind == JobKind.Tune)
            return NoneToTune();
        if (ready.Count == 0)
            return job.Devices?.Require is null ? NoneReady() : NoneOfTheKind();
        var fitting = ready.Where(device => FitsEmpty(device, model)).ToList();
        if (fitting.Count == 0)
        {
            var needed = Gigabytes(RequiredBytes(model));
            var largest = Gigabytes(ready.Max(device => device.MemoryBytes));
            return new Refusal(
                RefusalCode.ModelTooLarge,
                $"The model needs {needed} GB; the largest ready device has {largest} GB.",
                "Add a device with more memory, or use a smaller quantization."
            );
        }
        if (!fitting.Exists(device => FitsNow(device, model)))
            return new Refusal(
                RefusalCode.WaitingForGpuMemory,
                "Every device that is large enough serves another model now and has no room beside it."
            );
        return fitting.TrueForAll(device => device.Leased) ? Busy() : HeldBack();
    }

    private static Refusal NoneReady() =>
        new(
            RefusalCode.NoMatchingDevice,
            "No device of the pool is ready.",
            "Start an agent, or see why its devices are not ready."
        );

    private static Refusal NoneOfTheKind() =>
        new(
            RefusalCode.NoMatchingDevice,
            "No device of the kind required is ready.",
            "See `fleet devices`, or prefer the kind instead of requiring it."
        );

    private static Refusal NoneToTune() =>
        new(
            RefusalCode.NoMatchingDevice,
            $"No device that the engine {TuneParameters.Engine} drives is ready; others have no kernels to tune.",
            "See `fleet devices`; an agent with EGPUFLEET_CPU_ENGINE=tinygrad has its processor tuned."
        );

    private static Refusal Busy() =>
        new(
            RefusalCode.WaitingForPriority,
            "Every device that fits works on a job that comes first.",
            "Add a device, or give the job a higher priority."
        );

    private static Refusal HeldBack() =>
        new(
            RefusalCode.DeviceBusy,
            "A device that fits has just refused or failed a shard; it is tried again shortly."
        );

    private static string Gigabytes(long bytes) => (bytes / 1e9).ToString("0.0", CultureInfo.InvariantCulture);
}
