using System.Text.Json;

namespace EgpuFleet.Kernels.Formats.Safetensors;

/// <summary>One tensor's entry: <c>dtype</c>, <c>shape</c> and <c>data_offsets</c>, each exactly once, in any order.</summary>
internal static class SafetensorsEntry
{
    /// <summary>Reads to the end of the entry's object.</summary>
    public static SafetensorsTensor Read(ref Utf8JsonReader reader, string name, long dataOffset, long fileBytes)
    {
        SafetensorsType? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = SafetensorsText.Of(ref reader, Limits.KeyBytes, $"a field of {name}");
            reader.Read();
            switch (field)
            {
                case "dtype" when type is null:
                    type = TypeOf(ref reader, name);
                    break;
                case "shape" when shape is null:
                    shape = Numbers(ref reader, Limits.SafetensorsDimensions, name);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = Numbers(ref reader, 2, name);
                    break;
                case "dtype" or "shape" or "data_offsets":
                    throw Fault(SafetensorsFault.Duplicate, $"The tensor {name} has {field} twice.");
                default:
                    throw Fault(SafetensorsFault.Header, $"The tensor {name} has the unknown field {field}.");
            }
        }
        if (type is null || shape is null || offsets is not { Length: 2 })
            throw Fault(SafetensorsFault.Header, $"The tensor {name} lacks its type, shape or two offsets.");
        return Placed(name, type, shape, offsets, dataOffset, fileBytes);
    }

    private static SafetensorsTensor Placed(
        string name,
        SafetensorsType type,
        long[] shape,
        long[] offsets,
        long dataOffset,
        long fileBytes
    )
    {
        var (start, end) = (offsets[0], offsets[1]);
        if (start > end || end > fileBytes - dataOffset)
        {
            throw Fault(
                SafetensorsFault.TensorExtent,
                $"The tensor {name} needs bytes {start} to {end} of {fileBytes - dataOffset}."
            );
        }
        var bytes = shape.Aggregate(
            (Int128)type.ItemBytes,
            (product, size) => product > long.MaxValue ? product : product * size
        );
        if (bytes != end - start)
        {
            throw Fault(
                SafetensorsFault.TensorShape,
                $"The tensor {name} of {type.Name} [{string.Join(", ", shape)}] has {end - start} bytes."
            );
        }
        return new SafetensorsTensor(name, type, shape, dataOffset + start, end - start);
    }

    private static SafetensorsType TypeOf(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.String)
            throw Fault(SafetensorsFault.TensorType, $"The type of the tensor {name} is no text.");
        var text = SafetensorsText.Of(ref reader, Limits.KeyBytes, $"the type of {name}");
        return SafetensorsType.Find(text)
            ?? throw Fault(SafetensorsFault.TensorType, $"The tensor {name} has the unknown type {text}.");
    }

    private static long[] Numbers(ref Utf8JsonReader reader, int limit, string name)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Fault(SafetensorsFault.Header, $"A shape or offsets of the tensor {name} are no list.");
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
                throw Fault(SafetensorsFault.TensorShape, $"The tensor {name} has a size or offset that is none.");
            numbers.Add(number);
            if (numbers.Count > limit)
                throw Fault(SafetensorsFault.TensorShape, $"The tensor {name} has more than {limit} sizes or offsets.");
        }
        return [.. numbers];
    }

    private static SafetensorsException Fault(string code, string text) => new(code, text);
}
