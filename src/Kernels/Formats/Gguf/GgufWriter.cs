using System.Text;

namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>
/// Writes a GGUF v3 file front to back: describe metadata and tensors first, then <see cref="WriteTo"/> asks each tensor
/// for its bytes when its turn comes, so that no more than one tensor need be in memory and the stream need not seek.
/// </summary>
public sealed class GgufWriter
{
    private const int Version = 3;

    private readonly List<(string Key, GgufValueType Type, Action<BinaryWriter> Write)> pairs = [];
    private readonly List<(string Name, GgufTensorType Type, long[] Dimensions, Action<Stream> Write)> tensors = [];
    private readonly HashSet<string> keys = new(StringComparer.Ordinal);
    private readonly HashSet<string> names = new(StringComparer.Ordinal);

    /// <summary>Adds a text.</summary>
    public void Add(string key, string value) => Add(key, GgufValueType.Text, writer => WriteText(writer, value));

    /// <summary>Adds an unsigned number.</summary>
    public void Add(string key, uint value) => Add(key, GgufValueType.U32, writer => writer.Write(value));

    /// <summary>Adds a 32-bit float.</summary>
    public void Add(string key, float value) => Add(key, GgufValueType.F32, writer => writer.Write(value));

    /// <summary>Adds a flag.</summary>
    public void Add(string key, bool value) => Add(key, GgufValueType.Bool, writer => writer.Write(value));

    /// <summary>Adds an array of texts.</summary>
    public void Add(string key, IReadOnlyList<string> values) => AddArray(key, GgufValueType.Text, values, WriteText);

    /// <summary>Adds an array of signed numbers.</summary>
    public void Add(string key, IReadOnlyList<int> values) =>
        AddArray(key, GgufValueType.I32, values, (writer, value) => writer.Write(value));

    /// <summary>Adds an array of 32-bit floats.</summary>
    public void Add(string key, IReadOnlyList<float> values) =>
        AddArray(key, GgufValueType.F32, values, (writer, value) => writer.Write(value));

    /// <summary>Adds the metadata of another file as it is, in its order, but for some keys and its alignment.</summary>
    /// <param name="source">Needed until the file is written.</param>
    /// <param name="except">Keys that are left out.</param>
    public void AddFrom(GgufReader source, params IReadOnlyCollection<string> except)
    {
        ArgumentNullException.ThrowIfNull(source);
        foreach (var pair in source.Metadata.Places.Where(pair => pair.Key != GgufHeader.AlignmentKey))
        {
            if (!except.Contains(pair.Key))
                Add(pair.Key, pair.Type, writer => source.CopyValue(pair, writer.BaseStream));
        }
    }

    /// <summary>Adds a tensor.</summary>
    /// <param name="name">Unique in the file.</param>
    /// <param name="type">How <paramref name="write"/> stores the numbers.</param>
    /// <param name="dimensions">Sizes, fastest-changing first.</param>
    /// <param name="write">Writes exactly the tensor's bytes, without padding.</param>
    public void AddTensor(string name, GgufTensorType type, long[] dimensions, Action<Stream> write)
    {
        if (!names.Add(name))
            throw new ArgumentException($"The tensor {name} is already there.", nameof(name));
        tensors.Add((name, type, dimensions, write));
    }

    /// <summary>Writes the whole file.</summary>
    /// <exception cref="InvalidOperationException">A tensor wrote another number of bytes than its shape says.</exception>
    public void WriteTo(Stream stream)
    {
        var output = new CountingStream(stream);
        using var writer = new BinaryWriter(output, Encoding.UTF8, leaveOpen: true);
        writer.Write(GgufHeader.Magic);
        writer.Write(Version);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)pairs.Count);
        foreach (var (key, type, write) in pairs)
        {
            WriteText(writer, key);
            writer.Write((uint)type);
            write(writer);
        }
        WriteTable(writer);
        writer.Flush();
        Pad(output);
        foreach (var (name, type, dimensions, write) in tensors)
        {
            var start = output.Position;
            write(output);
            var expected = BytesOf(type, dimensions);
            if (output.Position - start != expected)
                throw new InvalidOperationException($"{name} wrote {output.Position - start} bytes, not {expected}.");
            Pad(output);
        }
    }

    private void WriteTable(BinaryWriter writer)
    {
        var offset = 0L;
        foreach (var (name, type, dimensions, _) in tensors)
        {
            WriteText(writer, name);
            writer.Write((uint)dimensions.Length);
            foreach (var size in dimensions)
                writer.Write((ulong)size);
            writer.Write(type.Id);
            writer.Write((ulong)offset);
            offset += Padded(BytesOf(type, dimensions));
        }
    }

    private void Add(string key, GgufValueType type, Action<BinaryWriter> write)
    {
        if (!keys.Add(key))
            throw new ArgumentException($"The key {key} is already there.", nameof(key));
        pairs.Add((key, type, write));
    }

    private void AddArray<T>(
        string key,
        GgufValueType type,
        IReadOnlyList<T> values,
        Action<BinaryWriter, T> writeItem
    ) =>
        Add(
            key,
            GgufValueType.Array,
            writer =>
            {
                writer.Write((uint)type);
                writer.Write((ulong)values.Count);
                foreach (var value in values)
                    writeItem(writer, value);
            }
        );

    private static void WriteText(BinaryWriter writer, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static long BytesOf(GgufTensorType type, long[] dimensions) =>
        dimensions.Aggregate(1L, (product, size) => checked(product * size)) / type.BlockItems * type.BlockBytes;

    private static long Padded(long position) =>
        (position + GgufHeader.DefaultAlignmentBytes - 1)
        / GgufHeader.DefaultAlignmentBytes
        * GgufHeader.DefaultAlignmentBytes;

    private static void Pad(CountingStream output)
    {
        Span<byte> zeros = stackalloc byte[GgufHeader.DefaultAlignmentBytes];
        zeros.Clear();
        output.Write(zeros[..(int)(Padded(output.Position) - output.Position)]);
    }
}
