namespace EgpuFleet.Kernels.Formats.Safetensors;

/// <summary>How a tensor's numbers are stored, all little-endian.</summary>
/// <param name="Name">The format's name of the type.</param>
/// <param name="ItemBytes">Bytes of one number.</param>
public sealed record SafetensorsType(string Name, int ItemBytes)
{
    /// <summary>32-bit floats.</summary>
    public static SafetensorsType F32 { get; } = new("F32", 4);

    /// <summary>16-bit IEEE floats.</summary>
    public static SafetensorsType F16 { get; } = new("F16", 2);

    /// <summary>The upper halves of 32-bit floats.</summary>
    public static SafetensorsType Bf16 { get; } = new("BF16", 2);

    private static readonly Dictionary<string, SafetensorsType> Known = new SafetensorsType[]
    {
        F32,
        F16,
        Bf16,
        new("F64", 8),
        new("C64", 8),
        new("I64", 8),
        new("I32", 4),
        new("I16", 2),
        new("I8", 1),
        new("U64", 8),
        new("U32", 4),
        new("U16", 2),
        new("U8", 1),
        new("BOOL", 1),
        new("F8_E4M3", 1),
        new("F8_E5M2", 1),
        new("F8_E8M0", 1),
    }.ToDictionary(type => type.Name, StringComparer.Ordinal);

    /// <summary>The type of a name, or null for a name that no type has.</summary>
    public static SafetensorsType? Find(string name) => Known.GetValueOrDefault(name);
}
