using System.Buffers.Binary;
using System.Globalization;

namespace EgpuFleet.Kernels.Drivers.Mac;

/// <summary>A PCI device in the registry of macOS.</summary>
/// <param name="IsResourced">Whether macOS gave it its address windows; null where the registry does not say.</param>
/// <param name="ExtensionMatches">How many driver extensions would take it.</param>
public sealed record RegistryDevice(
    int VendorId,
    int DeviceId,
    int? ClassCode,
    bool? IsResourced,
    int? ExtensionMatches
);

/// <summary>Reads <c>ioreg -rc IOPCIDevice -l</c>; asks nothing of any device.</summary>
public static class IoRegistry
{
    public static IReadOnlyList<RegistryDevice> Devices(string text)
    {
        var devices = new List<RegistryDevice>();
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            // A node begins with its name; its properties follow.
            if (line.Contains("+-o ", StringComparison.Ordinal))
                Close();
            else if (Property(line) is (var key, var value))
                fields.TryAdd(key, value);
        }
        Close();
        return devices;

        void Close()
        {
            var vendor = Word(fields.GetValueOrDefault("vendor-id"));
            var device = Word(fields.GetValueOrDefault("device-id"));
            if (vendor is not null && device is not null && devices.Count < Limits.ReportItems)
            {
                devices.Add(
                    new RegistryDevice(
                        vendor.Value,
                        device.Value,
                        Word(fields.GetValueOrDefault("class-code")),
                        fields.GetValueOrDefault("IOPCIResourced") is { } resourced ? resourced == "Yes" : null,
                        DisplayNumbers.Whole(fields.GetValueOrDefault("IODEXTMatchCount"), int.MaxValue)
                    )
                );
            }
            fields.Clear();
        }
    }

    /// <summary>Whether TinyGPU's service is attached to a GPU: the answer to <c>ioreg -rn tinygpu</c> is not empty.</summary>
    public static bool IsAttached(string text) => text.Contains("+-o tinygpu", StringComparison.OrdinalIgnoreCase);

    /// <summary><c>"vendor-id" = &lt;de100000&gt;</c>, behind the lines of the tree.</summary>
    private static (string Key, string Value)? Property(ReadOnlySpan<char> line)
    {
        var equals = line.IndexOf("\" = ", StringComparison.Ordinal);
        var quote = equals < 0 ? -1 : line[..equals].IndexOf('"');
        return quote < 0
            ? null
            : (line[(quote + 1)..equals].ToString(), line[(equals + 4)..].Trim().Trim("<>").ToString());
    }

    /// <summary>Four bytes in hexadecimal, the lowest first.</summary>
    private static int? Word(string? bytes) =>
        bytes is { Length: 8 }
        && uint.TryParse(bytes, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
        && BinaryPrimitives.ReverseEndianness(value) is <= int.MaxValue and var word
            ? (int)word
            : null;
}
