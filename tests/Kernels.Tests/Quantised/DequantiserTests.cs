using System.Buffers.Binary;
using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Quantised;

namespace EgpuFleet.Kernels.Tests.Quantised;

/// <summary>Our reading of blocks against ggml's, on random bytes with scales that are numbers.</summary>
public sealed class DequantiserTests
{
    private const int Blocks = 200;

    /// <summary>Of values up to 2,000: a compiler may fuse a block's last multiplication and subtraction.</summary>
    private const float Tolerance = 5e-4f;

    public static TheoryData<string, string, int[]> InGgml =>
        new()
        {
            { "Q4_0", "dequantize_row_q4_0", [0] },
            { "Q4_1", "dequantize_row_q4_1", [0, 2] },
            { "Q5_0", "dequantize_row_q5_0", [0] },
            { "Q5_1", "dequantize_row_q5_1", [0, 2] },
            { "Q8_0", "dequantize_row_q8_0", [0] },
            { "Q4_K", "dequantize_row_q4_K", [0, 2] },
            { "Q5_K", "dequantize_row_q5_K", [0, 2] },
            { "Q6_K", "dequantize_row_q6_K", [208] },
        };

    [Theory]
    [MemberData(nameof(InGgml))]
    public unsafe void Blocks_mean_what_they_mean_to_ggml(string name, string function, int[] scales)
    {
        var type = Find(name);
        var bytes = new byte[Blocks * type.BlockBytes];
        var random = new Random(31);
        random.NextBytes(bytes);
        foreach (var at in scales)
        {
            for (var block = 0; block < Blocks; block++)
                BinaryPrimitives.WriteHalfLittleEndian(
                    bytes.AsSpan((block * type.BlockBytes) + at),
                    (Half)random.NextSingle()
                );
        }
        var expected = new float[Blocks * type.BlockItems];
        var library = NativeLibrary.Load(Library());
        try
        {
            var read = (delegate* unmanaged<byte*, float*, long, void>)NativeLibrary.GetExport(library, function);
            fixed (byte* from = bytes)
            fixed (float* to = expected)
                read(from, to, expected.Length);
        }
        finally
        {
            NativeLibrary.Free(library);
        }
        var actual = new float[expected.Length];
        Dequantiser.Read(type, bytes, actual);
        for (var i = 0; i < actual.Length; i++)
            Assert.Equal(expected[i], actual[i], Tolerance);
        Assert.True(actual.Max() > 1);
    }

    [Fact]
    public void Halves_and_upper_halves_of_floats_are_exact()
    {
        float[] values = [0, -0f, 1, -2.5f, 1e-7f, 65504, float.PositiveInfinity];
        var actual = new float[values.Length];
        Dequantiser.Read(
            Find("F16"),
            MemoryMarshal.AsBytes(Array.ConvertAll(values, value => (Half)value).AsSpan()),
            actual
        );
        Assert.Equal(values.Select(value => (float)(Half)value), actual);
        var upper = Array.ConvertAll(values, value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
        Dequantiser.Read(Find("BF16"), MemoryMarshal.AsBytes(upper.AsSpan()), actual);
        for (var i = 0; i < values.Length; i++)
            Assert.Equal(upper[i], BitConverter.SingleToUInt32Bits(actual[i]) >> 16);
    }

    [Fact]
    public void Part_of_a_block_and_types_unknown_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Dequantiser.Read(GgufTensorType.Q8Zero, new byte[33], new float[32]));
        Assert.Throws<ArgumentException>(() => Dequantiser.Read(GgufTensorType.Q8Zero, new byte[34], new float[31]));
        var type = Find("IQ2_XS");
        Assert.False(Dequantiser.Reads(type));
        Assert.Throws<NotSupportedException>(() => Dequantiser.Read(type, new byte[74], new float[256]));
    }

    private static GgufTensorType Find(string name) =>
        Enumerable.Range(0, 64).Select(id => GgufTensorType.Find((uint)id)).First(type => type?.Name == name)!;

    private static string Library()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "natives");
        return Directory.EnumerateFiles(folder, "libggml-base*").First();
    }
}
