using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace EgpuFleet.Kernels.Formats.Safetensors;

/// <summary>
/// Writes a file of safetensors front to back: describe metadata and tensors first, then each tensor is asked for its
/// bytes when its turn comes. The same description gives the same bytes: everything stands in the order it was added.
/// </summary>
public sealed class SafetensorsWriter
{
    /// <summary>What data starts at a multiple of.</summary>
    private const int AlignmentBytes = 8;

    private readonly List<(string Key, string Value)> pairs = [];
    private readonly List<(string Name, SafetensorsType Type, long[] Shape, Action<Stream>? Write)> tensors = [];
    private readonly HashSet<string> keys = new(StringComparer.Ordinal);
    private readonly HashSet<string> names = new(StringComparer.Ordinal) { SafetensorsHeader.MetadataName };

    /// <summary>Adds a metadata pair.</summary>
    public void AddMetadata(string key, string value)
    {
        if (!keys.Add(key))
            throw new ArgumentException($"The key {key} is already there.", nameof(key));
        pairs.Add((key, value));
    }

    /// <summary>Adds a tensor.</summary>
    /// <param name="name">Unique in the file.</param>
    /// <param name="type">How <paramref name="write"/> stores the numbers.</param>
    /// <param name="shape">Sizes, slowest-changing first.</param>
    /// <param name="write">Writes exactly the tensor's bytes; null for who writes them itself after <see cref="Head"/>.</param>
    public void Add(string name, SafetensorsType type, IReadOnlyList<long> shape, Action<Stream>? write = null)
    {
        if (!names.Add(name))
            throw new ArgumentException($"The tensor {name} is already there.", nameof(name));
        tensors.Add((name, type, [.. shape], write));
    }

    /// <summary>Adds a tensor of 32-bit floats.</summary>
    public void Add(string name, IReadOnlyList<long> shape, ReadOnlyMemory<float> values) =>
        Add(name, SafetensorsType.F32, shape, stream => WriteSingles(stream, values.Span));

    /// <summary>Writes the whole file.</summary>
    /// <exception cref="InvalidOperationException">
    /// A tensor wrote another number of bytes than its shape says, or the header is longer than readers accept.
    /// </exception>
    public void WriteTo(Stream stream)
    {
        var output = new CountingStream(stream);
        output.Write(Head());
        foreach (var (name, type, shape, write) in tensors)
        {
            var start = output.Position;
            write?.Invoke(output);
            var expected = BytesOf(type, shape);
            if (output.Position - start != expected)
                throw new InvalidOperationException($"{name} wrote {output.Position - start} bytes, not {expected}.");
        }
    }

    /// <summary>
    /// Writes the whole file beside <paramref name="path"/>, brings it to the disk and puts it in place: who opens the path
    /// finds what was there before or all of this.
    /// </summary>
    public void WriteTo(string path)
    {
        var partial = path + ".partial";
        try
        {
            using (var file = new FileStream(partial, FileMode.Create, FileAccess.Write))
            {
                WriteTo(file);
                file.Flush(flushToDisk: true);
            }
            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    /// <summary>What stands before the bytes of the first tensor; those of all follow it in the order they were added.</summary>
    /// <exception cref="InvalidOperationException">It is longer than readers accept.</exception>
    public byte[] Head()
    {
        using var header = new MemoryStream();
        header.SetLength(SafetensorsHeader.LengthBytes);
        header.Position = SafetensorsHeader.LengthBytes;
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            WriteMetadata(json);
            var offset = 0L;
            foreach (var (name, type, shape, _) in tensors)
            {
                var end = offset + BytesOf(type, shape);
                json.WriteStartObject(name);
                json.WriteString("dtype", type.Name);
                WriteNumbers(json, "shape", shape);
                WriteNumbers(json, "data_offsets", [offset, end]);
                json.WriteEndObject();
                offset = end;
            }
            json.WriteEndObject();
        }
        while (header.Length % AlignmentBytes != 0)
            header.WriteByte((byte)' ');
        var bytes = header.Length - SafetensorsHeader.LengthBytes;
        if (bytes > Limits.SafetensorsHeaderBytes)
            throw new InvalidOperationException($"A header of {bytes} bytes is longer than readers accept.");
        var head = header.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(head, (ulong)bytes);
        return head;
    }

    private void WriteMetadata(Utf8JsonWriter json)
    {
        if (pairs.Count == 0)
            return;
        json.WriteStartObject(SafetensorsHeader.MetadataName);
        foreach (var (key, value) in pairs)
            json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, long[] numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }

    /// <summary>Numbers as the format has them.</summary>
    internal static void WriteSingles(Stream stream, ReadOnlySpan<float> values)
    {
        // A span of bytes is limited to two gigabytes.
        const int pieceFloats = 16 << 20;
        for (var rest = values; rest.Length > 0; rest = rest[Math.Min(pieceFloats, rest.Length)..])
        {
            var piece = rest[..Math.Min(pieceFloats, rest.Length)];
            if (BitConverter.IsLittleEndian)
            {
                stream.Write(MemoryMarshal.AsBytes(piece));
                continue;
            }
            var bits = MemoryMarshal.Cast<float, uint>(piece).ToArray();
            BinaryPrimitives.ReverseEndianness(bits, bits);
            stream.Write(MemoryMarshal.AsBytes(bits.AsSpan()));
        }
    }

    private static long BytesOf(SafetensorsType type, long[] shape) =>
        shape.Aggregate((long)type.ItemBytes, (product, size) => checked(product * size));
}
