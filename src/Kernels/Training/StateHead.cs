using System.Globalization;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Formats.Training;

namespace EgpuFleet.Kernels.Training;

/// <summary>What a state says of itself, by which a session knows its own.</summary>
public static class StateHead
{
    /// <param name="step">Steps done; null: the session's own count goes on.</param>
    public static void Write(SafetensorsWriter writer, TrainSpec spec, long? step)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(spec);
        writer.AddMetadata(StateNames.FormatKey, StateNames.Format);
        if (step is { } done)
            writer.AddMetadata(StateNames.StepKey, done.ToString(CultureInfo.InvariantCulture));
        writer.AddMetadata(StateNames.BaseKey, spec.ContentHash);
        writer.AddMetadata(StateNames.MethodKey, MethodOf(spec));
    }

    /// <summary>The first entry that is not as a session of this kind writes it; null when all are.</summary>
    public static string? Fault(SafetensorsFile file, TrainSpec spec)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(spec);
        foreach (
            var (key, expected) in new[]
            {
                (StateNames.FormatKey, StateNames.Format),
                (StateNames.BaseKey, spec.ContentHash),
                (StateNames.MethodKey, MethodOf(spec)),
            }
        )
        {
            var actual = file.Metadata.GetValueOrDefault(key);
            if (actual != expected)
                return $"The file's {key} is {actual ?? "not there"}; this session's is {expected}.";
        }
        return null;
    }

    private static string MethodOf(TrainSpec spec) => spec.Method == TrainMethod.Lora ? "lora" : "full";
}
