using System.Globalization;

namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>A set of code points.</summary>
/// <param name="ranges">First and last of each range in hexadecimal, ascending: <c>41-5A 61-7A</c>.</param>
internal sealed class CodePointRanges(string ranges)
{
    private readonly int[] bounds =
    [
        .. ranges.Split(' ', '-').Select(bound => int.Parse(bound, NumberStyles.AllowHexSpecifier)),
    ];

    public bool Contains(int codePoint)
    {
        var index = Array.BinarySearch(bounds, codePoint);
        // Itself a bound, or to be inserted between the first and the last of a range.
        return index >= 0 || (~index & 1) == 1;
    }
}
