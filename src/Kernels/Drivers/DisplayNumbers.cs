using System.Buffers;
using System.Globalization;

namespace EgpuFleet.Kernels.Drivers;

/// <summary>Numbers as systems write them into texts. None of these throws; what is no number is null.</summary>
internal static class DisplayNumbers
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    /// <summary>A PCI id or class: <c>0x10de</c>, <c>10de</c>.</summary>
    public static int? Hex(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            text = text[2..];
        // At most 32 bits, so that a value above the sign bit is no number rather than a negative one.
        return
            int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            && value >= 0
            ? value
            : null;
    }

    /// <summary>The number at the beginning: <c>16.0 GT/s PCIe</c>, <c>80 Gb/s</c>, <c>x4</c>, <c>Up to 40 Gb/s x1</c>.</summary>
    public static double? Leading(ReadOnlySpan<char> text)
    {
        var start = text.IndexOfAnyInRange('0', '9');
        if (start < 0)
            return null;
        text = text[start..];
        var end = text.IndexOfAnyExcept(NumberCharacters);
        var number = end < 0 ? text : text[..end];
        return
            double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && double.IsFinite(value)
            ? value
            : null;
    }

    /// <summary>The first run of digits: <c>libLLVM.so.18.1.8</c> is 18.</summary>
    public static int? Digits(ReadOnlySpan<char> text)
    {
        var start = text.IndexOfAnyInRange('0', '9');
        if (start < 0)
            return null;
        text = text[start..];
        var end = text.IndexOfAnyExceptInRange('0', '9');
        return int.TryParse(end < 0 ? text : text[..end], CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    /// <summary>A whole number within <paramref name="most"/>, or null.</summary>
    public static int? Whole(ReadOnlySpan<char> text, int most) =>
        Leading(text) is { } value && value <= most && value == Math.Floor(value) ? (int)value : null;

    /// <summary>A count of bytes in a unit: mebibytes of <c>nvidia-smi</c> and <c>sysctl</c>.</summary>
    public static long? Bytes(ReadOnlySpan<char> text, long unitBytes) =>
        Leading(text) is { } value && value > 0 && value * unitBytes < long.MaxValue ? (long)(value * unitBytes) : null;

    /// <summary>A bounded piece of foreign text for people: one line, no control characters.</summary>
    public static string? Plain(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        var cut = text.AsSpan(0, Math.Min(text.Length, Limits.SeenCharacters));
        Span<char> kept = stackalloc char[cut.Length];
        for (var i = 0; i < cut.Length; i++)
            kept[i] = char.IsControl(cut[i]) ? ' ' : cut[i];
        return kept.Trim() is { Length: > 0 } plain ? plain.ToString() : null;
    }
}
