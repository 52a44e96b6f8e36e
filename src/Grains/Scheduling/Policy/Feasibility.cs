using System.Globalization;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>Whether a model fits a device, and if it fits none, why a job waits.</summary>
public static class Feasibility
{
    public static long RequiredBytes(ModelRecord model) =>
        ModelMemory.RequiredBytes(model.WeightBytes, model.KvBytesPerToken, model.ContextLength);

    /// <summary>Of a training run, which holds no key-value memory, the least: its device knows the rest.</summary>
    public static long RequiredBytes(WaitingJob job, ModelRecord model)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.Train is { } train ? TrainingMemory.LeastBytes(model, train.Method) : RequiredBytes(model);
    }

    /// <summary>Whether a job may run there, were there room: the device is of a kind it may use, with an engine that can.</summary>
    public static bool Allows(WaitingJob job, DeviceSlot device) =>
        DevicePreference.Allows(job.Devices, device) && HasEngine(job, device);

    /// <summary>Whether the device can do what the job wants: one engine alone has kernels to tune, and not every device trains.</summary>
    public static bool HasEngine(WaitingJob job, DeviceSlot device) =>
        job.Kind switch
        {
            JobKind.Tune => device.Engine == TuneParameters.Engine,
            JobKind.Train => device.TrainEngine is { } engine && (job.Train?.Engine ?? engine) == engine,
            _ => job.Model is null || Serves(device, job.Model),
        };

    /// <summary>Whether the device's engine can serve the model at all: one engine alone serves adapters.</summary>
    public static bool Serves(DeviceSlot device, ModelRecord model) =>
        model.Ref.Base is null || device.Engine == ModelRef.AdapterEngine;

    /// <summary>
    /// It fits as the device is: loaded already, or the device is idle and may drop what it holds, or there is room beside
    /// what serves requests there now.
    /// </summary>
    public static bool FitsNow(DeviceSlot device, ModelRecord model) =>
        HasRoom(
            device,
            RequiredBytes(model),
            isLoaded: device.LoadedModels.Contains(model.Ref.Sha256),
            SharedBytes(device, model)
        );

    /// <summary>The same for a job: one that trains has nothing of a model that is loaded to be served.</summary>
    public static bool FitsNow(WaitingJob job, DeviceSlot device, ModelRecord model) =>
        job.Train is null ? FitsNow(device, model) : HasRoom(device, RequiredBytes(job, model), isLoaded: false);

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
        if (ready.Count == 0)
            return NoneOf(job);
        var required = RequiredBytes(job, model);
        var fitting = ready.Where(device => required <= device.MemoryBytes).ToList();
        if (fitting.Count == 0)
        {
            var needed = Gigabytes(required);
            var largest = Gigabytes(ready.Max(device => device.MemoryBytes));
            return new Refusal(
                RefusalCode.ModelTooLarge,
                job.Train is null
                    ? $"The model needs {needed} GB; the largest ready device has {largest} GB."
                    : $"Training needs {needed} GB at least; the largest ready device that trains has {largest} GB.",
                job.Train is { Method: TrainingMethod.Full }
                    ? "Train an adapter (method lora), or add a device with more memory."
                    : "Add a device with more memory, or use a smaller quantization."
            );
        }
        if (!fitting.Exists(device => FitsNow(job, device, model)))
            return new Refusal(
                RefusalCode.WaitingForGpuMemory,
                "Every device that is large enough serves another model now and has no room beside it."
            );
        return fitting.TrueForAll(device => device.Leased) ? Busy() : HeldBack();
    }

    /// <summary>Of an adapter's weights, those that the device has in memory already.</summary>
    private static long SharedBytes(DeviceSlot device, ModelRecord model) =>
        model.Ref.Base is { } known && device.LoadedModels.Contains(known.Sha256) ? model.BaseWeightBytes : 0;

    private static bool HasRoom(DeviceSlot device, long requiredBytes, bool isLoaded, long sharedBytes = 0)
    {
        if (requiredBytes > device.MemoryBytes)
            return false;
        return device.ActiveSequences == 0
            || isLoaded
            || requiredBytes - sharedBytes <= device.MemoryBytes - Math.Max(device.MemoryUsedBytes, 0);
    }

    /// <summary>No ready device may run it.</summary>
    private static Refusal NoneOf(WaitingJob job) =>
        job.Kind switch
        {
            JobKind.Tune => NoneToTune(),
            JobKind.Train => NoneToTrain(job.Train?.Engine),
            _ when job.Model?.Ref.Base is not null => NoneToServeAdapters(),
            _ => job.Devices?.Require is null ? NoneReady() : NoneOfTheKind(),
        };

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

    private static Refusal NoneToServeAdapters() =>
        new(
            RefusalCode.NoMatchingDevice,
            $"The model is an adapter, and no device that may run it is ready under the engine {ModelRef.AdapterEngine}, which serves adapters.",
            "See `fleet devices`; a processor and a Mac's own GPU are driven by that engine."
        );

    private static Refusal NoneToTune() =>
        new(
            RefusalCode.NoMatchingDevice,
            $"No device that the engine {TuneParameters.Engine} drives is ready; others have no kernels to tune.",
            "See `fleet devices`; an agent with EGPUFLEET_CPU_ENGINE=tinygrad has its processor tuned."
        );

    private static Refusal NoneToTrain(string? engine) =>
        new(
            RefusalCode.NoMatchingDevice,
            engine is null
                ? "No device that the job may use and that can train is ready."
                : $"No device that the job may use and that trains with the engine {engine} is ready.",
            "See train_engine in `fleet devices --json`; `fleet doctor` tells what an engine lacks."
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
