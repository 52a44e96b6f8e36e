namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>Stable codes of <see cref="AdapterException"/>.</summary>
public static class AdapterFault
{
    /// <summary>The file is no adapter of the form that is read here.</summary>
    public const string Format = "adapter_format";

    /// <summary>It was made for another base model: another content, architecture, or matrices of another shape.</summary>
    public const string OtherBase = "adapter_other_base";

    /// <summary>A trained state lacks a tensor that it should have, or has one that it should not.</summary>
    public const string State = "adapter_state";

    /// <summary>A weight is infinite or no number, or too large for the floats asked for.</summary>
    public const string Weight = "adapter_weight";

    /// <summary>Nothing is known of how the architecture's weights are named or laid out elsewhere.</summary>
    public const string Architecture = "adapter_architecture";
}
