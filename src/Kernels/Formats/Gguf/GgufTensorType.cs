namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>How a tensor's numbers are stored.</summary>
/// <param name="Id">ggml's number of the type.</param>
/// <param name="Name">ggml's name of the type.</param>
/// <param name="BlockItems">Numbers in one block.</param>
/// <param name="BlockBytes">Bytes of one block.</param>
public sealed record GgufTensorType(uint Id, string Name, int BlockItems, int BlockBytes)
{
    /// <summary>32-bit floats.</summary>
    public static GgufTensorType F32 { get; } = new(0, "F32", 1, 4);

    /// <summary>16-bit IEEE floats.</summary>
    public static GgufTensorType F16 { get; } = new(1, "F16", 1, 2);

    /// <summary>Blocks of 32 8-bit numbers with one scale.</summary>
    public static GgufTensorType Q8Zero { get; } = new(8, "Q8_0", 32, 34);

    /// <summary>Blocks of 256 4-bit numbers with eight scales and minima.</summary>
    public static GgufTensorType Q4K { get; } = new(12, "Q4_K", 256, 144);

    private static readonly Dictionary<uint, GgufTensorType> Known = new GgufTensorType[]
    {
        F32,
        F16,
        new(2, "Q4_0", 32, 18),
        new(3, "Q4_1", 32, 20),
        new(6, "Q5_0", 32, 22),
        new(7, "Q5_1", 32, 24),
        Q8Zero,
        new(9, "Q8_1", 32, 36),
        new(10, "Q2_K", 256, 84),
        new(11, "Q3_K", 256, 110),
        Q4K,
        new(13, "Q5_K", 256, 176),
        new(14, "Q6_K", 256, 210),
        new(15, "Q8_K", 256, 292),
        new(16, "IQ2_XXS", 256, 66),
        new(17, "IQ2_XS", 256, 74),
        new(18, "IQ3_XXS", 256, 98),
        new(19, "IQ1_S", 256, 50),
        new(20, "IQ4_NL", 32, 18),
        new(21, "IQ3_S", 256, 110),
        new(22, "IQ2_S", 256, 82),
        new(23, "IQ4_XS", 256, 136),
        new(24, "I8", 1, 1),
        new(25, "I16", 1, 2),
        new(26, "I32", 1, 4),
        new(27, "I64", 1, 8),
        new(28, "F64", 1, 8),
        new(29, "IQ1_M", 256, 56),
        new(30, "BF16", 1, 2),
        new(34, "TQ1_0", 256, 54),
        new(35, "TQ2_0", 256, 66),
        new(39, "MXFP4", 32, 17),
    }.ToDictionary(type => type.Id);

    /// <summary>The type of a number, or null for a number that no type has.</summary>
    public static GgufTensorType? Find(uint id) => Known.GetValueOrDefault(id);
}
