using System.Buffers.Binary;
using System.Text.Json;

namespace EgpuFleet.Kernels.Formats.Safetensors;

/// <summary>
/// The part of a file before its data: its length as eight bytes, then a JSON object of that length with an entry for each
/// tensor and <c>__metadata__</c>, which may end in spaces.
/// </summary>
internal sealed record SafetensorsHeader(
    IReadOnlyList<SafetensorsTensor> Tensors,
    IReadOnlyDictionary<string, string> Metadata
)
{
    public const string MetadataName = "__metadata__";

    public const int LengthBytes = sizeof(ulong);

    /// <summary>The object, one entry in it, the lists in that.</summary>
    private const int Depth = 3;

    public static SafetensorsHeader Read(Stream stream)
    {
        var fileBytes = stream.Length;
        Span<byte> length = stackalloc byte[LengthBytes];
        stream.Position = 0;
        Fill(stream, length);
        var announced = BinaryPrimitives.ReadUInt64LittleEndian(length);
        if (announced > Limits.SafetensorsHeaderBytes)
            throw Fault(SafetensorsFault.Limit, $"A header of {announced} bytes is longer than any real one.");
        if ((long)announced > fileBytes - LengthBytes)
            throw Fault(SafetensorsFault.Truncated, $"A header of {announced} bytes in a file of {fileBytes}.");
        var json = new byte[announced];
        Fill(stream, json);
        if (json.Length == 0 || json[0] != '{')
            throw Fault(SafetensorsFault.Header, "The header does not start with an object.");
        try
        {
            return Parse(json, LengthBytes + json.Length, fileBytes);
        }
        catch (JsonException cause)
        {
            throw Fault(SafetensorsFault.Header, $"The header is not JSON of this form: {cause.Message}");
        }
    }

    private static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataOffset, long fileBytes)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Depth });
        var tensors = new List<SafetensorsTensor>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = SafetensorsText.Of(ref reader, Limits.SafetensorsNameBytes, "a tensor's name");
            if (!names.Add(name))
                throw Fault(SafetensorsFault.Duplicate, $"The name {name} appears twice.");
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                throw Fault(SafetensorsFault.Header, $"The entry of {name} is no object.");
            if (name == MetadataName)
                ReadMetadata(ref reader, metadata);
            else
                tensors.Add(SafetensorsEntry.Read(ref reader, name, dataOffset, fileBytes));
            if (tensors.Count > Limits.Tensors)
                throw Fault(SafetensorsFault.Limit, $"More than {Limits.Tensors} tensors.");
        }
        // What stands behind the object must be nothing.
        reader.Read();
        return new SafetensorsHeader(InOrder(tensors, dataOffset, fileBytes), metadata);
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = SafetensorsText.Of(ref reader, Limits.KeyBytes, "a metadata key");
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw Fault(SafetensorsFault.Header, $"The metadata of {key} is no text.");
            var value = SafetensorsText.Of(ref reader, Limits.StringBytes, $"the metadata of {key}", mayBeEmpty: true);
            if (!metadata.TryAdd(key, value))
                throw Fault(SafetensorsFault.Duplicate, $"The metadata key {key} appears twice.");
            if (metadata.Count > Limits.MetadataPairs)
                throw Fault(SafetensorsFault.Limit, $"More than {Limits.MetadataPairs} metadata pairs.");
        }
    }

    /// <summary>Tensors by their first byte; together they are the data, without a gap, a byte twice or one left over.</summary>
    private static List<SafetensorsTensor> InOrder(List<SafetensorsTensor> tensors, long dataOffset, long fileBytes)
    {
        var ordered = tensors.OrderBy(tensor => tensor.Offset).ThenBy(tensor => tensor.Bytes).ToList();
        var position = dataOffset;
        foreach (var tensor in ordered)
        {
            if (tensor.Offset != position)
            {
                throw Fault(
                    SafetensorsFault.TensorExtent,
                    $"The tensor {tensor.Name} starts at byte {tensor.Offset}, where {position} is next."
                );
            }
            position += tensor.Bytes;
        }
        if (position != fileBytes)
            throw Fault(SafetensorsFault.TensorExtent, $"The tensors end at byte {position} of {fileBytes}.");
        return ordered;
    }

    private static void Fill(Stream stream, Span<byte> bytes)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw Fault(SafetensorsFault.Truncated, "The file ends inside its header.");
    }

    private static SafetensorsException Fault(string code, string text) => new(code, text);
}
