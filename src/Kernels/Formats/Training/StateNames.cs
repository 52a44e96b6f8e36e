namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>
/// The words in a training state as a file of safetensors, the same for every engine, agent and silo: a tensor that is
/// trained has its own name, its moments of AdamW have that name behind a prefix.
/// </summary>
public static class StateNames
{
    /// <summary>Value of <see cref="FormatKey"/>.</summary>
    public const string Format = "egpufleet-train-1";

    public const string FormatKey = "format";

    /// <summary>Steps done, in decimal digits.</summary>
    public const string StepKey = "step";

    /// <summary>SHA-256 of the base model, lower-case hexadecimal.</summary>
    public const string BaseKey = "base_sha256";

    /// <summary><c>lora</c> or <c>full</c>.</summary>
    public const string MethodKey = "method";

    /// <summary>Mean of the gradients.</summary>
    public const string FirstMoment = "adam.m.";

    /// <summary>Mean of their squares.</summary>
    public const string SecondMoment = "adam.v.";

    public static bool IsMoment(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.StartsWith(FirstMoment, StringComparison.Ordinal)
            || name.StartsWith(SecondMoment, StringComparison.Ordinal);
    }

    /// <summary>Of which trained tensor it is, itself or a moment.</summary>
    public static string TrainedOf(string name) => IsMoment(name) ? name[FirstMoment.Length..] : name;
}
