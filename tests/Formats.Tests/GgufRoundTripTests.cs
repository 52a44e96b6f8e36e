using CsCheck;
using EgpuFleet.Kernels.Formats;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Formats.Tests;

public sealed class GgufRoundTripTests
{
    private static readonly Gen<string> Texts = Gen.String[
        Gen.Char["abcdefghijklmnopqrstuvwxyz ĠéßΩ漢\n\0\"{}"],
        0,
        40
    ];

    private static readonly Gen<object> Values = Gen.OneOf(
        Texts.Select(text => (object)text),
        Gen.UInt.Select(number => (object)number),
        Gen.Float.Select(number => (object)number),
        Gen.Bool.Select(flag => (object)flag),
        Texts.Array[0, 20].Select(texts => (object)texts),
        Gen.Int.Array[0, 20].Select(numbers => (object)numbers),
        Gen.Float.Array[0, 20].Select(numbers => (object)numbers)
    );

    private static readonly Gen<(bool IsHalf, int Columns, int Rows, byte Fill)> Tensors = Gen.Select(
        Gen.Bool,
        Gen.Int[1, 9],
        Gen.Int[1, 9],
        Gen.Byte
    );

    [Fact]
    public void What_the_writer_wrote_the_reader_reads() =>
        Gen.Select(Values.Array[0, 12], Tensors.Array[0, 8])
            .Sample(
                (values, tensors) =>
                {
                    using var file = new MemoryStream();
                    Describe(values, tensors).WriteTo(file);
                    var reader = GgufReader.Open(file);
                    return values.Select((value, i) => Holds(reader, $"key.{i}", value)).All(holds => holds)
                        && tensors.Select((tensor, i) => Holds(reader, i, tensor)).All(holds => holds);
                },
                iter: 2_000
            );

    [Fact]
    public void A_tensor_of_the_wrong_size_is_not_written()
    {
        var writer = new GgufWriter();
        writer.AddTensor("t", GgufTensorType.F32, [4], stream => stream.Write(new byte[15]));
        using var file = new MemoryStream();
        Assert.Throws<InvalidOperationException>(() => writer.WriteTo(file));
    }

    [Fact]
    public void Names_are_written_once()
    {
        var writer = new GgufWriter();
        writer.Add("k", 1u);
        Assert.Throws<ArgumentException>(() => writer.Add("k", 2u));
        writer.AddTensor("t", GgufTensorType.F32, [1], _ => { });
        Assert.Throws<ArgumentException>(() => writer.AddTensor("t", GgufTensorType.F32, [1], _ => { }));
    }

    [Fact]
    public void An_array_too_large_to_read_at_once_is_refused_when_read()
    {
        var writer = new GgufWriter();
        var text = new string('x', Limits.ArrayStringBytes);
        writer.Add("k", Enumerable.Repeat(text, 1025).ToArray());
        using var file = new MemoryStream();
        writer.WriteTo(file);
        var reader = GgufReader.Open(file);
        var refusal = Assert.Throws<GgufException>(() => reader.ReadTexts(reader.Metadata.Array("k")!));
        Assert.Equal(GgufFault.Limit, refusal.Code);
    }

    private static GgufWriter Describe(object[] values, (bool IsHalf, int Columns, int Rows, byte Fill)[] tensors)
    {
        var writer = new GgufWriter();
        for (var i = 0; i < values.Length; i++)
            Add(writer, $"key.{i}", values[i]);
        for (var i = 0; i < tensors.Length; i++)
        {
            var (isHalf, columns, rows, fill) = tensors[i];
            var bytes = Enumerable.Repeat(fill, columns * rows * (isHalf ? 2 : 4)).ToArray();
            var type = isHalf ? GgufTensorType.F16 : GgufTensorType.F32;
            writer.AddTensor($"tensor.{i}", type, [columns, rows], stream => stream.Write(bytes));
        }
        return writer;
    }

    private static void Add(GgufWriter writer, string key, object value)
    {
        switch (value)
        {
            case string text:
                writer.Add(key, text);
                break;
            case uint number:
                writer.Add(key, number);
                break;
            case float number:
                writer.Add(key, number);
                break;
            case bool flag:
                writer.Add(key, flag);
                break;
            case string[] texts:
                writer.Add(key, texts);
                break;
            case int[] numbers:
                writer.Add(key, numbers);
                break;
            case float[] numbers:
                writer.Add(key, numbers);
                break;
        }
    }

    private static bool Holds(GgufReader reader, string key, object expected)
    {
        Assert.True(reader.Metadata.TryGet(key, out var value));
        return expected switch
        {
            string[] texts => reader.ReadTexts((GgufArray)value).SequenceEqual(texts),
            int[] numbers => reader.ReadNumbers((GgufArray)value).SequenceEqual(numbers),
            float[] numbers => reader.ReadSingles((GgufArray)value).SequenceEqual(numbers),
            uint number => value is ulong read && read == number,
            float number => value is double read && read.Equals(number),
            _ => value.Equals(expected),
        };
    }

    private static bool Holds(GgufReader reader, int index, (bool IsHalf, int Columns, int Rows, byte Fill) expected)
    {
        var tensor = reader.Tensors[index];
        var bytes = new byte[tensor.Bytes];
        reader.ReadTensor(tensor, 0, bytes);
        return tensor.Name == $"tensor.{index}"
            && tensor.Type.Name == (expected.IsHalf ? "F16" : "F32")
            && tensor.Dimensions.SequenceEqual([expected.Columns, expected.Rows])
            && tensor.Offset % reader.Alignment == 0
            && bytes.All(value => value == expected.Fill);
    }
}
