using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>
/// How long a device would take for one request, from what was measured of it. A device may be the faster one for a long
/// prompt and the slower one for a long answer, so both lengths matter.
/// </summary>
public static class ServiceTime
{
    private const double FlopsPerWeight = 2;

    /// <summary>Seconds from now to the last token; null while nothing usable was measured there.</summary>
    /// <param name="promptTokens">Of the request.</param>
    /// <param name="outputTokens">Of its answer.</param>
    public static double? Predict(DeviceSlot device, ModelRecord model, int promptTokens, int outputTokens)
    {
        if (SpeedFor(device, model) is not { } speed)
            return null;
        var load = device.LoadedModels.Contains(model.Ref.Sha256) ? 0 : speed.LoadPerByte * model.WeightBytes;
        var prompt =
            speed.Prompt
            + (model.BlockCount * speed.PromptBlock)
            + (FlopsPerWeight * model.ParameterCount * promptTokens * speed.PerFlop);
        var token = LiveTokenSeconds(device, model) ?? TokenSeconds(speed, model);
        var total = load + prompt + (token * outputTokens * Sharing(device.ActiveSequences, speed.BatchGain));
        return double.IsFinite(total) ? total : null;
    }

    private static double TokenSeconds(DeviceSpeed speed, ModelRecord model) =>
        speed.Step + (model.BlockCount * speed.Block) + (model.WeightBytes * speed.PerByte);

    /// <summary>What live work showed counts more than what was measured on other blocks; null before it showed anything.</summary>
    private static double? LiveTokenSeconds(DeviceSlot device, ModelRecord model)
    {
        if (device.Live.IsDefaultOrEmpty)
            return null;
        var live = device.Live.FirstOrDefault(one => one.Sha256 == model.Ref.Sha256);
        return live is not null && IsCost(live.TokensPerSecond) && live.TokensPerSecond > 0
            ? 1 / live.TokensPerSecond
            : null;
    }

    /// <summary>How much slower one sequence is beside others: they share each step up to the slots there are, then take turns.</summary>
    private static double Sharing(int others, double batchGain)
    {
        var sequences = Math.Max(others, 0) + 1;
        var together = Math.Min(sequences, ModelMemory.Slots);
        var gain = 1 + ((Math.Max(batchGain, 1) - 1) * (together - 1) / (ModelMemory.Slots - 1));
        return sequences / gain;
    }

    /// <summary>The measurement of the kind of weights nearest to the model's.</summary>
    private static DeviceSpeed? SpeedFor(DeviceSlot device, ModelRecord model)
    {
        if (device.Speeds.IsDefaultOrEmpty)
            return null;
        var kind = KindOf(model);
        return device.Speeds.Where(IsUsable).MinBy(speed => Math.Abs((int)speed.Kind - (int)kind));
    }

    private static WeightKind KindOf(ModelRecord model)
    {
        const double MostOfQ4 = 6.5;
        const double MostOfQ8 = 12;
        var bits = 8.0 * model.WeightBytes / Math.Max(model.ParameterCount, 1);
        if (bits <= MostOfQ4)
            return WeightKind.Q4;
        return bits <= MostOfQ8 ? WeightKind.Q8 : WeightKind.F16;
    }

    // A device may report anything: what is not a usable number counts as not measured.
    private static bool IsUsable(DeviceSpeed speed) =>
        IsCost(speed.Step)
        && IsCost(speed.Block)
        && IsCost(speed.PerByte)
        && IsCost(speed.Prompt)
        && IsCost(speed.PromptBlock)
        && IsCost(speed.PerFlop)
        && IsCost(speed.BatchGain)
        && IsCost(speed.LoadPerByte)
        && speed.Step + speed.Block + speed.PerByte > 0;

    private static bool IsCost(double value) => double.IsFinite(value) && value is >= 0 and < 1e12;
}
