using CsCheck;
using EgpuFleet.Kernels.Formats;
using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Formats.Tests.Safetensors;

public sealed class SafetensorsRoundTripTests
{
    private static readonly Gen<string> Texts = Gen.String[Gen.Char["abcdefghijklmnop ĠéßΩ漢\n\0\"\\{}"], 0, 30];

    private static readonly Gen<(long[] Shape, float[] Values)> Tensors =
        from shape in Gen.Long[0, 5].Array[0, 4]
        from values in Gen.Float.Array[(int)shape.Aggregate(1L, (product, size) => product * size)]
        select (shape, values);

    [Fact]
    public void What_the_writer_wrote_the_reader_reads_in_the_same_order() =>
        Gen.Select(Texts.Array[0, 6], Tensors.Array[0, 6])
            .Sample(
                (texts, tensors) =>
                {
                    var bytes = Write(texts, tensors);
                    using var file = SafetensorsFile.Open(new MemoryStream(bytes));
                    return file.Metadata.Count == texts.Length
                        && texts.Select((text, i) => file.Metadata[$"{i}Ω"] == text).All(holds => holds)
                        && file.Tensors.Where(one => one.Bytes > 0)
                            .Select(one => one.Name)
                            .SequenceEqual(Filled(tensors))
                        && tensors.Select((tensor, i) => Holds(file, $"t.{i}", tensor)).All(holds => holds)
                        && Write(texts, tensors).AsSpan().SequenceEqual(bytes);
                },
                iter: 2_000
            );

    [Fact]
    public void Data_starts_at_a_multiple_of_eight()
    {
        for (var length = 1; length < 20; length++)
        {
            var writer = new SafetensorsWriter();
            writer.Add(new string('n', length), [1], new float[] { 1 });
            using var stream = new MemoryStream();
            writer.WriteTo(stream);
            using var file = SafetensorsFile.Open(stream);
            Assert.Equal(0, file.Tensors[0].Offset % 8);
        }
    }

    [Fact]
    public void Tensors_are_read_in_pieces()
    {
        var bytes = Write([], [([3], [1, 2, 3])]);
        using var file = SafetensorsFile.Open(new MemoryStream(bytes));
        var piece = new byte[4];
        file.Read(file.Tensors[0], 4, piece);
        Assert.Equal(2f, BitConverter.ToSingle(piece));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(file.Tensors[0], 9, piece));
    }

    [Fact]
    public void Names_are_written_once()
    {
        var writer = new SafetensorsWriter();
        writer.AddMetadata("k", "");
        Assert.Throws<ArgumentException>(() => writer.AddMetadata("k", ""));
        writer.Add("t", [0], Array.Empty<float>());
        Assert.Throws<ArgumentException>(() => writer.Add("t", [0], Array.Empty<float>()));
        Assert.Throws<ArgumentException>(() => writer.Add("__metadata__", [0], Array.Empty<float>()));
    }

    [Fact]
    public void A_tensor_of_the_wrong_size_leaves_what_was_there()
    {
        using var folder = new TemporaryFolder();
        var path = folder.At("state.safetensors");
        File.WriteAllBytes(path, Write([], [([1], [7])]));
        var writer = new SafetensorsWriter();
        writer.Add("t", SafetensorsType.F32, [4], stream => stream.Write(new byte[15]));
        Assert.Throws<InvalidOperationException>(() => writer.WriteTo(path));
        using (var file = SafetensorsFile.Open(path))
            Assert.Equal([7f], file.ReadSingles(file.Tensors[0]));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_file_is_replaced_under_its_readers()
    {
        using var folder = new TemporaryFolder();
        var path = folder.At("state.safetensors");
        One(1).WriteTo(path);
        using var before = SafetensorsFile.Open(path);
        One(2).WriteTo(path);
        using var after = SafetensorsFile.Open(path);
        Assert.Equal([1f], before.ReadSingles(before.Tensors[0]));
        Assert.Equal([2f], after.ReadSingles(after.Tensors[0]));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    private static SafetensorsWriter One(float value)
    {
        var writer = new SafetensorsWriter();
        writer.Add("t", [1], new[] { value });
        return writer;
    }

    private static byte[] Write(string[] texts, (long[] Shape, float[] Values)[] tensors)
    {
        var writer = new SafetensorsWriter();
        for (var i = 0; i < texts.Length; i++)
            writer.AddMetadata($"{i}Ω", texts[i]);
        for (var i = 0; i < tensors.Length; i++)
            writer.Add($"t.{i}", tensors[i].Shape, tensors[i].Values);
        using var stream = new MemoryStream();
        writer.WriteTo(stream);
        return stream.ToArray();
    }

    private static IEnumerable<string> Filled((long[] Shape, float[] Values)[] tensors) =>
        tensors
            .Select((tensor, i) => (tensor, i))
            .Where(one => one.tensor.Values.Length > 0)
            .Select(one => $"t.{one.i}");

    private static bool Holds(SafetensorsFile file, string name, (long[] Shape, float[] Values) expected)
    {
        var tensor = file.Find(name);
        return tensor is not null
            && tensor.Shape.SequenceEqual(expected.Shape)
            && file.ReadSingles(tensor)
                .Select(BitConverter.SingleToUInt32Bits)
                .SequenceEqual(expected.Values.Select(BitConverter.SingleToUInt32Bits));
    }
}
