using EgpuFleet.Kernels.Formats;
using EgpuFleet.Kernels.Formats.Safetensors;
using static EgpuFleet.Formats.Tests.Safetensors.SafetensorsBytes;

namespace EgpuFleet.Formats.Tests.Safetensors;

public sealed class HostileSafetensorsTests
{
    public static TheoryData<string, string, byte[]> Files =>
        new()
        {
            { "empty", SafetensorsFault.Truncated, [] },
            { "seven bytes", SafetensorsFault.Truncated, new byte[7] },
            { "no header", SafetensorsFault.Header, new byte[8] },
            { "huge header", SafetensorsFault.Limit, Of("{}", length: ulong.MaxValue) },
            { "header of 100 MB", SafetensorsFault.Limit, Of("{}", length: 100_000_000) },
            { "header beyond the end", SafetensorsFault.Truncated, Of("{}", length: 3) },
            { "a list", SafetensorsFault.Header, Of("[]") },
            { "leading space", SafetensorsFault.Header, Of(" {}") },
            { "cut off", SafetensorsFault.Header, Of("{\"a\":") },
            { "two objects", SafetensorsFault.Header, Of("{}{}") },
            { "a comment", SafetensorsFault.Header, Of("{/* */}") },
            { "a trailing comma", SafetensorsFault.Header, Of("{\"__metadata__\":{},}") },
            { "deep", SafetensorsFault.Header, Of(Entry("t", "F32", "[[[[[1]]]]]", "[0,4]"), 4) },
            { "very deep", SafetensorsFault.Header, Of("{\"t\":" + new string('[', 100_000)) },
            { "an object in a shape", SafetensorsFault.Header, Of(Entry("t", "F32", "[{}]", "[0,4]"), 4) },
            { "a text in a shape", SafetensorsFault.TensorShape, Of(Entry("t", "F32", "[\"1\"]", "[0,4]"), 4) },
            { "an entry that is a number", SafetensorsFault.Header, Of("{\"t\":1}") },
            { "an entry without fields", SafetensorsFault.Header, Of("{\"t\":{}}") },
            { "an unknown field", SafetensorsFault.Header, Of("{\"t\":{\"strides\":[1]}}") },
            { "a field twice", SafetensorsFault.Duplicate, Of("{\"t\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}") },
            { "no offsets", SafetensorsFault.Header, Of("{\"t\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4) },
            { "one offset", SafetensorsFault.Header, Of(Entry("t", "F32", "[1]", "[0]"), 4) },
            { "three offsets", SafetensorsFault.TensorShape, Of(Entry("t", "F32", "[1]", "[0,4,4]"), 4) },
            { "unknown type", SafetensorsFault.TensorType, Of(Entry("t", "F31", "[1]", "[0,4]"), 4) },
            { "a number for a type", SafetensorsFault.TensorType, Of("{\"t\":{\"dtype\":7}}") },
            { "negative size", SafetensorsFault.TensorShape, Of(Entry("t", "F32", "[-1]", "[0,4]"), 4) },
            { "half a size", SafetensorsFault.TensorShape, Of(Entry("t", "F32", "[1.5]", "[0,4]"), 4) },
            { "size beyond 64 bits", SafetensorsFault.TensorShape, Of(Entry("t", "F32", "[1e40]", "[0,4]"), 4) },
            {
                "nine dimensions",
                SafetensorsFault.TensorShape,
                Of(Entry("t", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4)
            },
            {
                "sizes that overflow",
                SafetensorsFault.TensorShape,
                Of(Entry("t", "F32", "[4294967296,4294967296,4294967296]", "[0,4]"), 4)
            },
            { "shape and bytes disagree", SafetensorsFault.TensorShape, Of(Entry("t", "F32", "[2]", "[0,4]"), 4) },
            { "type and bytes disagree", SafetensorsFault.TensorShape, Of(Entry("t", "F16", "[1]", "[0,4]"), 4) },
            { "beyond the end", SafetensorsFault.TensorExtent, Of(Entry("t", "F32", "[2]", "[0,8]"), 4) },
            { "offsets backwards", SafetensorsFault.TensorExtent, Of(Entry("t", "F32", "[1]", "[8,4]"), 8) },
            {
                "offsets near the largest number",
                SafetensorsFault.TensorExtent,
                Of(Entry("t", "F32", "[1]", "[9223372036854775803,9223372036854775807]"), 4)
            },
            { "bytes left over", SafetensorsFault.TensorExtent, Of(Entry("t", "F32", "[1]", "[0,4]"), 5) },
            { "bytes of no tensor", SafetensorsFault.TensorExtent, Of("{}", 1) },
            { "a gap before", SafetensorsFault.TensorExtent, Of(Entry("t", "F32", "[1]", "[4,8]"), 8) },
            {
                "a gap between",
                SafetensorsFault.TensorExtent,
                Join(12, Entry("a", "F32", "[1]", "[0,4]"), Entry("b", "F32", "[1]", "[8,12]"))
            },
            {
                "an overlap",
                SafetensorsFault.TensorExtent,
                Join(12, Entry("a", "F32", "[2]", "[0,8]"), Entry("b", "F32", "[2]", "[4,12]"))
            },
            {
                "two in one place",
                SafetensorsFault.TensorExtent,
                Join(4, Entry("a", "F32", "[1]", "[0,4]"), Entry("b", "F32", "[1]", "[0,4]"))
            },
            {
                "a tensor twice",
                SafetensorsFault.Duplicate,
                Join(8, Entry("a", "F32", "[1]", "[0,4]"), Entry("\\u0061", "F32", "[1]", "[4,8]"))
            },
            { "metadata twice", SafetensorsFault.Duplicate, Of("{\"__metadata__\":{},\"__metadata__\":{}}") },
            { "a key twice", SafetensorsFault.Duplicate, Of("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}") },
            { "metadata that is a list", SafetensorsFault.Header, Of("{\"__metadata__\":[]}") },
            { "a number in metadata", SafetensorsFault.Header, Of("{\"__metadata__\":{\"a\":1}}") },
            { "an object in metadata", SafetensorsFault.Header, Of("{\"__metadata__\":{\"a\":{}}}") },
            { "no name", SafetensorsFault.Text, Of(Entry("", "F32", "[1]", "[0,4]"), 4) },
            { "a long name", SafetensorsFault.Limit, Of(Entry(new string('n', 513), "F32", "[1]", "[0,4]"), 4) },
            { "half a surrogate", SafetensorsFault.Text, Of("{\"__metadata__\":{\"a\":\"\\ud800\"}}") },
            { "not UTF-8", SafetensorsFault.Text, Of([.. "{\"__metadata__\":{\"a\":\""u8, 0xC3, 0x28, .. "\"}}"u8]) },
        };

    [Theory]
    [MemberData(nameof(Files))]
    public void A_hostile_file_is_refused_with_its_code(string what, string code, byte[] file)
    {
        var refusal = Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(new MemoryStream(file)));
        Assert.True(refusal.Code == code, $"{what}: {refusal.Code}, {refusal.Message}");
        Assert.NotEmpty(refusal.Message);
    }

    [Fact]
    public void What_the_format_allows_is_read()
    {
        var file = Join(
            12,
            Entry("late", "F32", "[2]", "[4,12]"),
            "{\"__metadata__\":{\"format\":\"pt\",\"empty\":\"\"}}",
            Entry("none", "F32", "[0,7]", "[4,4]"),
            Entry("one", "I32", "[]", "[0,4]")
        );
        using var read = SafetensorsFile.Open(new MemoryStream(file));
        Assert.Equal(["one", "none", "late"], read.Tensors.Select(tensor => tensor.Name));
        Assert.Equal("pt", read.Metadata["format"]);
        Assert.Equal("", read.Metadata["empty"]);
        Assert.Empty(read.Find("one")!.Shape);
        Assert.Null(read.Find("two"));
        Assert.Empty(SafetensorsFile.Open(new MemoryStream(Of("{}   "))).Tensors);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused_and_only_the_whole_is_read()
    {
        var whole = SmallState();
        for (var length = 0; length < whole.Length; length++)
        {
            var prefix = new MemoryStream(whole[..length]);
            Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(prefix));
        }
        Assert.Equal(2, SafetensorsFile.Open(new MemoryStream(whole)).Tensors.Count);
    }

    [Fact]
    public void A_file_with_any_byte_changed_is_read_or_refused_with_a_code()
    {
        var whole = SmallState();
        var refused = 0;
        for (var position = 0; position < whole.Length; position++)
        {
            foreach (var value in "\0\"{[9}x\u007f\u0080\u00ff"u8)
            {
                var changed = whole.ToArray();
                changed[position] = value;
                refused += Record.Exception(() => ReadEverything(changed)) switch
                {
                    null => 0,
                    SafetensorsException => 1,
                    var other => throw new InvalidOperationException($"Byte {position} as {value}", other),
                };
            }
        }
        Assert.InRange(refused, 500, whole.Length * 12);
    }

    [Fact]
    public void Too_many_tensors_are_refused()
    {
        var entries = Enumerable
            .Range(0, Limits.Tensors + 1)
            .Select(i => Entry(i.ToString(), "U8", "[0]", "[0,0]"))
            .ToArray();
        var refusal = Assert.Throws<SafetensorsException>(() =>
            SafetensorsFile.Open(new MemoryStream(Join(0, entries)))
        );
        Assert.Equal(SafetensorsFault.Limit, refusal.Code);
    }

    [Fact]
    public void A_stream_that_shrinks_after_opening_is_refused()
    {
        using var stream = new MemoryStream();
        stream.Write(SmallState());
        using var file = SafetensorsFile.Open(stream);
        stream.SetLength(100);
        var refusal = Assert.Throws<SafetensorsException>(() => file.Read(file.Tensors[0], 0, new byte[8]));
        Assert.Equal(SafetensorsFault.Truncated, refusal.Code);
    }

    [Fact]
    public void Numbers_of_another_type_are_no_floats()
    {
        using var file = SafetensorsFile.Open(new MemoryStream(Of(Entry("t", "F16", "[2]", "[0,4]"), 4)));
        var refusal = Assert.Throws<SafetensorsException>(() => file.ReadSingles(file.Tensors[0]));
        Assert.Equal(SafetensorsFault.TensorType, refusal.Code);
    }

    private static byte[] SmallState()
    {
        var writer = new SafetensorsWriter();
        writer.AddMetadata("format", "egpufleet-train-1");
        writer.Add("blk.0.attn_q.lora_a", [2, 3], new float[] { 1, 2, 3, 4, 5, 6 });
        writer.Add("blk.0.attn_q.lora_b", [2, 2], new float[] { 0, -1, 0.5f, float.MaxValue });
        using var file = new MemoryStream();
        writer.WriteTo(file);
        return file.ToArray();
    }

    private static void ReadEverything(byte[] bytes)
    {
        using var file = SafetensorsFile.Open(new MemoryStream(bytes));
        foreach (var tensor in file.Tensors)
            file.Read(tensor, 0, new byte[tensor.Bytes]);
    }
}
