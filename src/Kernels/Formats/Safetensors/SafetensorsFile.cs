using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace EgpuFleet.Kernels.Formats.Safetensors;

/// <summary>
/// A file of safetensors: its tensors and metadata; bytes are read when asked for. The file is hostile until it is open:
/// lengths, depth, names, types, shapes and extents are checked, every byte of data belongs to exactly one tensor, and
/// nothing is reserved for an announced size before that. Not for several threads at once.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private const int PieceFloats = 16 << 20;

    private readonly Stream stream;
    private readonly bool leaveOpen;
    private readonly Dictionary<string, SafetensorsTensor> byName;

    private SafetensorsFile(Stream stream, bool leaveOpen, SafetensorsHeader header)
    {
        this.stream = stream;
        this.leaveOpen = leaveOpen;
        Tensors = header.Tensors;
        Metadata = header.Metadata;
        byName = header.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    }

    /// <summary>In the order of their bytes.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors { get; }

    /// <summary>Texts by key; empty where the file has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file, and closes it when disposed.</summary>
    /// <exception cref="SafetensorsException">The file is not acceptable; see <see cref="SafetensorsException.Code"/>.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        try
        {
            return Open(file, leaveOpen: false);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads and checks the header.</summary>
    /// <param name="stream">Seekable and readable; the file is all of it.</param>
    /// <param name="leaveOpen">Whether it stays open when this is disposed; it must be until then.</param>
    /// <exception cref="SafetensorsException">The file is not acceptable; see <see cref="SafetensorsException.Code"/>.</exception>
    public static SafetensorsFile Open(Stream stream, bool leaveOpen = true)
    {
        if (!stream.CanSeek)
            throw new ArgumentException("The stream must be seekable.", nameof(stream));
        return new SafetensorsFile(stream, leaveOpen, SafetensorsHeader.Read(stream));
    }

    /// <summary>The tensor of a name, or null.</summary>
    public SafetensorsTensor? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>The bytes of a tensor from <paramref name="offset"/> on, as many as the span holds.</summary>
    /// <exception cref="SafetensorsException">The file has become shorter.</exception>
    public void Read(SafetensorsTensor tensor, long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (destination.Length > tensor.Bytes - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), $"Beyond the {tensor.Bytes} bytes of {tensor.Name}.");
        stream.Position = tensor.Offset + offset;
        try
        {
            stream.ReadExactly(destination);
        }
        catch (EndOfStreamException)
        {
            throw new SafetensorsException(SafetensorsFault.Truncated, $"The file ends inside {tensor.Name}.");
        }
    }

    /// <summary>All numbers of a tensor of 32-bit floats.</summary>
    /// <exception cref="SafetensorsException">Of another type, or of more numbers than an array holds.</exception>
    public float[] ReadSingles(SafetensorsTensor tensor)
    {
        if (tensor.Type != SafetensorsType.F32)
            throw new SafetensorsException(
                SafetensorsFault.TensorType,
                $"{tensor.Name} is {tensor.Type.Name}, not F32."
            );
        if (tensor.Bytes / sizeof(float) > Array.MaxLength)
            throw new SafetensorsException(
                SafetensorsFault.Limit,
                $"{tensor.Name} has too many numbers for one array."
            );
        var values = new float[tensor.Bytes / sizeof(float)];
        // A span of bytes is limited to two gigabytes.
        for (var done = 0; done < values.Length; done += PieceFloats)
        {
            var piece = values.AsSpan(done, Math.Min(PieceFloats, values.Length - done));
            Read(tensor, (long)done * sizeof(float), MemoryMarshal.AsBytes(piece));
        }
        if (!BitConverter.IsLittleEndian)
        {
            var bits = MemoryMarshal.Cast<float, uint>(values.AsSpan());
            BinaryPrimitives.ReverseEndianness(bits, bits);
        }
        return values;
    }

    public void Dispose()
    {
        if (!leaveOpen)
            stream.Dispose();
    }
}
