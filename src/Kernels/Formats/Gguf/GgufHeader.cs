using System.Numerics;

namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>The part of a file before the tensor table: magic, version, counts and metadata.</summary>
internal sealed record GgufHeader(int Version, int TensorCount, int Alignment, GgufMetadata Metadata, int RetainedBytes)
{
    /// <summary>The bytes <c>GGUF</c> as a little-endian number.</summary>
    public const uint Magic = 0x46554747;

    /// <summary>Alignment of files that name none.</summary>
    public const int DefaultAlignmentBytes = 32;

    public const string AlignmentKey = "general.alignment";

    public static GgufHeader Read(GgufInput input)
    {
        if (input.ReadUInt32() != Magic)
            throw new GgufException(GgufFault.Magic, "The file does not start with the letters GGUF.");
        var version = input.ReadUInt32();
        if (version is not (2 or 3))
        {
            var text = (version & 0xffff) == 0 ? "a big-endian file" : $"version {version}";
            throw new GgufException(
                GgufFault.Version,
                $"This is {text}; versions 2 and 3 in little-endian order are read."
            );
        }
        var tensorCount = input.ReadCount(Limits.Tensors, "The number of tensors");
        var pairs = input.ReadCount(Limits.MetadataPairs, "The number of metadata pairs");
        var (metadata, retained) = ReadPairs(input, pairs);
        return new GgufHeader((int)version, tensorCount, ReadAlignment(metadata), metadata, retained);
    }

    /// <summary>Refuses a header that keeps too many bytes in memory or is too long to walk.</summary>
    public static void RequireWithinBudget(int retainedBytes, long position)
    {
        if (retainedBytes > Limits.RetainedBytes)
            throw new GgufException(GgufFault.Limit, $"Keys, names and texts exceed {Limits.RetainedBytes} bytes.");
        if (position > Limits.HeaderBytes)
            throw new GgufException(GgufFault.Limit, $"Metadata and tensor table exceed {Limits.HeaderBytes} bytes.");
    }

    private static (GgufMetadata Metadata, int RetainedBytes) ReadPairs(GgufInput input, int pairs)
    {
        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        var places = new List<GgufPair>();
        var retained = 0;
        for (var i = 0; i < pairs; i++)
        {
            var key = input.ReadString(Limits.KeyBytes, $"metadata key {i}");
            if (key.Length == 0)
                throw new GgufException(GgufFault.Text, $"Metadata key {i} is empty.");
            var type = input.ReadUInt32();
            var start = input.Position;
            var value = ReadValue(input, type, key);
            if (!values.TryAdd(key, value))
                throw new GgufException(GgufFault.DuplicateKey, $"The metadata key {key} appears twice.");
            places.Add(new GgufPair(key, (GgufValueType)type, start, input.Position - start));
            retained += key.Length + (value is string text ? text.Length : 0);
            RequireWithinBudget(retained, input.Position);
        }
        return (new GgufMetadata(values, places), retained);
    }

    private static object ReadValue(GgufInput input, uint type, string key) =>
        (GgufValueType)type switch
        {
            GgufValueType.U8 => (ulong)input.ReadByte(),
            GgufValueType.I8 => (long)(sbyte)input.ReadByte(),
            GgufValueType.U16 => (ulong)input.ReadUInt16(),
            GgufValueType.I16 => (long)(short)input.ReadUInt16(),
            GgufValueType.U32 => (ulong)input.ReadUInt32(),
            GgufValueType.I32 => (long)(int)input.ReadUInt32(),
            GgufValueType.U64 => input.ReadUInt64(),
            GgufValueType.I64 => (long)input.ReadUInt64(),
            GgufValueType.F32 => (double)BitConverter.UInt32BitsToSingle(input.ReadUInt32()),
            GgufValueType.F64 => BitConverter.UInt64BitsToDouble(input.ReadUInt64()),
            GgufValueType.Bool => ReadBool(input, key),
            GgufValueType.Text => input.ReadString(Limits.StringBytes, $"the value of {key}"),
            GgufValueType.Array => ReadArray(input, key),
            _ => throw new GgufException(GgufFault.ValueType, $"The value of {key} has the unknown type {type}."),
        };

    private static bool ReadBool(GgufInput input, string key) =>
        input.ReadByte() switch
        {
            0 => false,
            1 => true,
            var other => throw new GgufException(GgufFault.ValueType, $"The flag {key} is {other}, neither 0 nor 1."),
        };

    private static GgufArray ReadArray(GgufInput input, string key)
    {
        var type = input.ReadUInt32();
        var itemType = (GgufValueType)type;
        var count = input.ReadCount(Limits.ArrayItems, $"The number of items of {key}");
        var start = input.Position;
        if (itemType == GgufValueType.Text)
        {
            for (var i = 0; i < count; i++)
            {
                var length = input.ReadCount(Limits.ArrayStringBytes, $"The length of item {i} of {key}");
                input.Skip(length, $"item {i} of {key}");
                RequireWithinBudget(0, input.Position);
            }
        }
        else
        {
            input.Skip((long)count * ItemBytes(itemType, type, key), $"the items of {key}");
        }
        return new GgufArray(itemType, count, start, input.Position - start);
    }

    private static int ItemBytes(GgufValueType itemType, uint type, string key) =>
        itemType switch
        {
            GgufValueType.U8 or GgufValueType.I8 or GgufValueType.Bool => 1,
            GgufValueType.U16 or GgufValueType.I16 => 2,
            GgufValueType.U32 or GgufValueType.I32 or GgufValueType.F32 => 4,
            GgufValueType.U64 or GgufValueType.I64 or GgufValueType.F64 => 8,
            GgufValueType.Array => throw new GgufException(GgufFault.ValueType, $"{key} nests arrays; no model does."),
            _ => throw new GgufException(GgufFault.ValueType, $"The items of {key} have the unknown type {type}."),
        };

    private static int ReadAlignment(GgufMetadata metadata)
    {
        if (!metadata.TryGet(AlignmentKey, out var value))
            return DefaultAlignmentBytes;
        if (value is ulong and > 0 and <= Limits.AlignmentBytes && BitOperations.IsPow2((ulong)value))
            return (int)(ulong)value;
        throw new GgufException(
            GgufFault.Alignment,
            $"{AlignmentKey} must be a power of two from 1 to {Limits.AlignmentBytes}."
        );
    }
}
