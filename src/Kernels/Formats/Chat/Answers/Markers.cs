namespace EgpuFleet.Kernels.Formats.Chat.Answers;

/// <summary>Finds markers in a text that comes in parts.</summary>
internal static class Markers
{
    /// <param name="text">So far.</param>
    /// <param name="markers">None empty.</param>
    /// <param name="isOver">No more text comes.</param>
    /// <returns>The first marker, the longest of several in one place, or null; and how much text certainly comes before any.</returns>
    public static (string? Marker, int Certain) Find(string text, IReadOnlyList<string> markers, bool isOver)
    {
        var found = markers
            .Select(marker => (Marker: marker, At: text.IndexOf(marker, StringComparison.Ordinal)))
            .Where(one => one.At >= 0)
            .OrderBy(one => one.At)
            .ThenByDescending(one => one.Marker.Length)
            .FirstOrDefault();
        if (found.Marker is not null)
            return found;
        return (null, isOver ? text.Length : text.Length - PossibleStart(text, markers));
    }

    /// <summary>Length of the longest end of the text that may be the start of a marker.</summary>
    private static int PossibleStart(string text, IReadOnlyList<string> markers)
    {
        var longest = Math.Min(text.Length, markers.Select(marker => marker.Length - 1).DefaultIfEmpty(0).Max());
        for (var length = longest; length > 0; length--)
        {
            var end = text.AsSpan(text.Length - length);
            foreach (var marker in markers)
            {
                if (marker.AsSpan().StartsWith(end, StringComparison.Ordinal))
                    return length;
            }
        }
        return 0;
    }
}
