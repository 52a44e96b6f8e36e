using EgpuFleet.Kernels.Formats;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Formats.Tests;

public sealed class HostileGgufTests
{
    private const uint F32 = 0;
    private const uint TextType = 8;
    private const uint ArrayType = 9;
    private const uint UInt32Type = 4;
    private const uint BoolType = 7;
    private const uint Q4 = 2;

    public static TheoryData<string, string, byte[]> Files =>
        new()
        {
            { "empty", GgufFault.Truncated, [] },
            { "wrong magic", GgufFault.Magic, "GGML\u0003\0\0\0"u8.ToArray() },
            { "version 1", GgufFault.Version, GgufBytes.Header(0, 0, version: 1).ToArray() },
            { "version 4", GgufFault.Version, GgufBytes.Header(0, 0, version: 4).ToArray() },
            { "big-endian", GgufFault.Version, GgufBytes.Header(0, 0, version: 0x03000000).ToArray() },
            { "huge tensor count", GgufFault.Limit, GgufBytes.Header(ulong.MaxValue, 0).ToArray() },
            { "huge pair count", GgufFault.Limit, GgufBytes.Header(0, ulong.MaxValue).ToArray() },
            { "promised pairs missing", GgufFault.Truncated, GgufBytes.Header(0, 4000).ToArray() },
            { "promised tensors missing", GgufFault.Truncated, GgufBytes.Header(60_000, 0).ToArray() },
            { "empty key", GgufFault.Text, Pair("", UInt32Type).U32(1).ToArray() },
            { "huge key", GgufFault.Limit, GgufBytes.Header(0, 1).U64(1UL << 62).ToArray() },
            {
                "key is not UTF-8",
                GgufFault.Text,
                GgufBytes.Header(0, 1).U64(2).Raw([0xC3, 0x28]).U32(4).U32(1).ToArray()
            },
            { "huge text", GgufFault.Limit, Pair("k", TextType).U64(ulong.MaxValue).ToArray() },
            { "text beyond the end", GgufFault.Truncated, Pair("k", TextType).U64(1000).ToArray() },
            { "unknown value type", GgufFault.ValueType, Pair("k", 13).U64(0).ToArray() },
            { "flag of 2", GgufFault.ValueType, Pair("k", BoolType).Raw([2]).ToArray() },
            { "array of unknown type", GgufFault.ValueType, Pair("k", ArrayType).U32(99).U64(1).ToArray() },
            {
                "array in an array",
                GgufFault.ValueType,
                Pair("k", ArrayType).U32(ArrayType).U64(1).U32(4).U64(0).ToArray()
            },
            { "huge array", GgufFault.Limit, Pair("k", ArrayType).U32(UInt32Type).U64(ulong.MaxValue).ToArray() },
            { "array beyond the end", GgufFault.Truncated, Pair("k", ArrayType).U32(UInt32Type).U64(1000).ToArray() },
            {
                "texts beyond the end",
                GgufFault.Truncated,
                Pair("k", ArrayType).U32(TextType).U64(1000).Text("a").ToArray()
            },
            { "huge array item", GgufFault.Limit, Pair("k", ArrayType).U32(TextType).U64(1).U64(1UL << 63).ToArray() },
            {
                "key twice",
                GgufFault.DuplicateKey,
                GgufBytes.Header(0, 2).Text("k").U32(4).U32(1).Text("k").U32(4).U32(1).ToArray()
            },
            { "alignment 0", GgufFault.Alignment, Pair("general.alignment", UInt32Type).U32(0).ToArray() },
            { "alignment 24", GgufFault.Alignment, Pair("general.alignment", UInt32Type).U32(24).ToArray() },
            { "alignment 2^31", GgufFault.Alignment, Pair("general.alignment", UInt32Type).U32(1u << 31).ToArray() },
            { "alignment is a text", GgufFault.Alignment, Pair("general.alignment", TextType).Text("32").ToArray() },
            { "tensor without name", GgufFault.Text, GgufBytes.Header(1, 0).Tensor("", F32, 0, 8).WithData(32) },
            {
                "tensor name too long",
                GgufFault.Limit,
                GgufBytes.Header(1, 0).Tensor(new string('n', 64), F32, 0, 8).WithData(32)
            },
            { "no dimensions", GgufFault.TensorShape, GgufBytes.Header(1, 0).Tensor("t", F32, 0).WithData(32) },
            {
                "five dimensions",
                GgufFault.TensorShape,
                GgufBytes.Header(1, 0).Tensor("t", F32, 0, 1, 1, 1, 1, 1).WithData(32)
            },
            {
                "a dimension of 0",
                GgufFault.TensorShape,
                GgufBytes.Header(1, 0).Tensor("t", F32, 0, 8, 0).WithData(32)
            },
            {
                "a dimension of 2^64-1",
                GgufFault.TensorShape,
                GgufBytes.Header(1, 0).Tensor("t", F32, 0, ulong.MaxValue).WithData(32)
            },
            {
                "dimensions that overflow",
                GgufFault.TensorShape,
                GgufBytes.Header(1, 0).Tensor("t", F32, 0, 1 << 30, 1 << 30, 1 << 30, 1 << 30).WithData(32)
            },
            { "half a block", GgufFault.TensorShape, GgufBytes.Header(1, 0).Tensor("t", Q4, 0, 16).WithData(32) },
            { "removed tensor type", GgufFault.TensorType, GgufBytes.Header(1, 0).Tensor("t", 4, 0, 8).WithData(32) },
            {
                "unknown tensor type",
                GgufFault.TensorType,
                GgufBytes.Header(1, 0).Tensor("t", uint.MaxValue, 0, 8).WithData(32)
            },
            {
                "offset off the alignment",
                GgufFault.Alignment,
                GgufBytes.Header(1, 0).Tensor("t", F32, 4, 8).WithData(64)
            },
            {
                "offset that overflows",
                GgufFault.TensorExtent,
                GgufBytes.Header(1, 0).Tensor("t", F32, ulong.MaxValue - 31, 8).WithData(32)
            },
            {
                "offset beyond the end",
                GgufFault.TensorExtent,
                GgufBytes.Header(1, 0).Tensor("t", F32, 1 << 20, 8).WithData(32)
            },
            {
                "tensor larger than the file",
                GgufFault.TensorExtent,
                GgufBytes.Header(1, 0).Tensor("t", F32, 0, 9).WithData(32)
            },
            {
                "tensor twice",
                GgufFault.DuplicateTensor,
                GgufBytes.Header(2, 0).Tensor("t", F32, 0, 8).Tensor("t", F32, 32, 8).WithData(64)
            },
            {
                "tensors that overlap",
                GgufFault.TensorExtent,
                GgufBytes.Header(2, 0).Tensor("a", F32, 0, 16).Tensor("b", F32, 32, 8).WithData(64)
            },
            {
                "tensors in one place",
                GgufFault.TensorExtent,
                GgufBytes.Header(2, 0).Tensor("a", F32, 0, 8).Tensor("b", F32, 0, 8).WithData(64)
            },
        };

    [Theory]
    [MemberData(nameof(Files))]
    public void A_hostile_file_is_refused_with_its_code(string what, string code, byte[] file)
    {
        var refusal = Assert.Throws<GgufException>(() => GgufReader.Open(new MemoryStream(file)));
        Assert.True(refusal.Code == code, $"{what}: {refusal.Code}, {refusal.Message}");
        Assert.NotEmpty(refusal.Message);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused_and_only_the_whole_is_read()
    {
        var whole = SmallFile.Make();
        for (var length = 0; length < whole.Length; length++)
        {
            var prefix = new MemoryStream(whole[..length]);
            Assert.Throws<GgufException>(() => GgufReader.Open(prefix));
        }
        Assert.Equal(2, GgufReader.Open(new MemoryStream(whole)).Tensors.Count);
    }

    [Fact]
    public void A_file_with_any_byte_changed_is_read_or_refused_with_a_code()
    {
        var whole = SmallFile.Make();
        var refused = 0;
        for (var position = 0; position < whole.Length; position++)
        {
            foreach (var value in new byte[] { 0, 1, 0x7f, 0x80, 0xff })
            {
                var changed = whole.ToArray();
                changed[position] = value;
                refused += Record.Exception(() => ReadEverything(changed)) switch
                {
                    null => 0,
                    GgufException => 1,
                    var other => throw new InvalidOperationException($"Byte {position} as {value}", other),
                };
            }
        }
        Assert.InRange(refused, 100, whole.Length * 5);
    }

    [Fact]
    public void Many_long_texts_are_refused_before_they_fill_memory()
    {
        var writer = new GgufWriter();
        var text = new string('x', Limits.StringBytes);
        for (var i = 0; i < 18; i++)
            writer.Add($"key{i}", text);
        using var file = new MemoryStream();
        writer.WriteTo(file);
        var refusal = Assert.Throws<GgufException>(() => GgufReader.Open(file));
        Assert.Equal(GgufFault.Limit, refusal.Code);
    }

    [Fact]
    public void A_stream_that_shrinks_after_opening_is_refused()
    {
        using var file = new MemoryStream();
        file.Write(SmallFile.Make());
        var reader = GgufReader.Open(file);
        file.SetLength(64);
        var refusal = Assert.Throws<GgufException>(() => reader.ReadTensor(reader.Tensors[0], 0, new byte[8]));
        Assert.Equal(GgufFault.Truncated, refusal.Code);
    }

    private static void ReadEverything(byte[] file)
    {
        var reader = GgufReader.Open(new MemoryStream(file));
        foreach (var key in reader.Metadata.Keys)
        {
            if (reader.Metadata.TryGet(key, out var value) && value is GgufArray { ItemType: GgufValueType.Text } texts)
                _ = reader.ReadTexts(texts);
        }
        foreach (var tensor in reader.Tensors)
            reader.ReadTensor(tensor, 0, new byte[tensor.Bytes]);
        _ = GgufModelFacts.From(reader).EstimateMemory(1024, 4);
    }

    private static GgufBytes Pair(string key, uint type) => GgufBytes.Header(0, 1).Text(key).U32(type);
}
