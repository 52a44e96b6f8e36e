using System.Buffers.Binary;
using System.Text;

namespace EgpuFleet.Formats.Tests.Safetensors;

/// <summary>Files put together by hand, right or wrong.</summary>
internal static class SafetensorsBytes
{
    /// <summary>A header as it stands and so many bytes of data.</summary>
    public static byte[] Of(string header, int dataBytes = 0, ulong? length = null) =>
        Of(Encoding.UTF8.GetBytes(header), dataBytes, length);

    public static byte[] Of(byte[] header, int dataBytes = 0, ulong? length = null)
    {
        var file = new byte[sizeof(ulong) + header.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(file, length ?? (ulong)header.Length);
        header.CopyTo(file, sizeof(ulong));
        return file;
    }

    /// <summary>One tensor's entry.</summary>
    public static string Entry(string name, string type, string shape, string offsets) =>
        $$"""{"{{name}}":{"dtype":"{{type}}","shape":{{shape}},"data_offsets":{{offsets}} } }""";

    /// <summary>A file of several tensors: entries without their braces, joined.</summary>
    public static byte[] Join(int dataBytes, params string[] entries) =>
        Of("{" + string.Join(',', entries.Select(entry => entry[1..^1])) + "}", dataBytes);
}
