using System.Buffers.Binary;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Quantised;

namespace EgpuFleet.EndToEnd.Tests.Tinygrad;

/// <summary>A model with its matrices as Q4_0: of each 32 numbers a half d, and 4 bits q that mean d (q − 8).</summary>
internal static class FourBits
{
    private const uint TypeId = 2;
    private const string FileTypeKey = "general.file_type";

    private static readonly GgufTensorType Type = GgufTensorType.Find(TypeId)!;

    /// <summary>Writes a model's file in four bits; vectors, and rows of no whole number of blocks, stay as they are.</summary>
    public static void Write(string model, string path)
    {
        using var file = File.OpenRead(model);
        var reader = GgufReader.Open(file);
        var writer = new GgufWriter();
        writer.AddFrom(reader, FileTypeKey);
        // In llama.cpp's numbers: mostly Q4_0.
        writer.Add(FileTypeKey, TypeId);
        foreach (var tensor in reader.Tensors)
        {
            var bytes = new byte[tensor.Bytes];
            reader.ReadTensor(tensor, 0, bytes);
            var quantises = tensor.Dimensions.Count > 1 && tensor.Dimensions[0] % Type.BlockItems == 0;
            var stored = quantises ? Quantised(tensor, bytes) : bytes;
            writer.AddTensor(
                tensor.Name,
                quantises ? Type : tensor.Type,
                [.. tensor.Dimensions],
                stream => stream.Write(stored)
            );
        }
        using var output = File.Create(path);
        writer.WriteTo(output);
    }

    private static byte[] Quantised(GgufTensor tensor, byte[] bytes)
    {
        var values = new float[tensor.Items];
        Dequantiser.Read(tensor.Type, bytes, values);
        var stored = new byte[values.Length / Type.BlockItems * Type.BlockBytes];
        for (var block = 0; block < values.Length / Type.BlockItems; block++)
            Quantise(
                values.AsSpan(block * Type.BlockItems, Type.BlockItems),
                stored.AsSpan(block * Type.BlockBytes, Type.BlockBytes)
            );
        return stored;
    }

    /// <summary>As ggml does: the number that is furthest from 0 becomes -8 exactly.</summary>
    private static void Quantise(ReadOnlySpan<float> values, Span<byte> block)
    {
        var furthest = 0f;
        foreach (var value in values)
            furthest = MathF.Abs(value) > MathF.Abs(furthest) ? value : furthest;
        var d = furthest / -8;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)d);
        for (var i = 0; i < values.Length; i++)
        {
            var q = d == 0 ? 8 : Math.Min(15, (int)((values[i] / d) + 8.5f));
            block[2 + (i % 16)] |= (byte)(q << (i / 16 * 4));
        }
    }
}
