namespace EgpuFleet.Kernels.Text;

/// <summary>Lets text through up to the first stop string, and holds back what could still become the start of one.</summary>
internal sealed class StopStringFilter(IReadOnlyList<string> stopStrings)
{
    private string held = "";

    /// <summary>Whether a stop string was reached; nothing comes out any more.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Takes more text; returns what is certain not to belong to a stop string.</summary>
    public string Append(string text)
    {
        if (stopStrings.Count == 0 || Stopped)
            return Stopped ? "" : text;
        held += text;
        var stop = stopStrings
            .Select(candidate => held.IndexOf(candidate, StringComparison.Ordinal))
            .Where(index => index >= 0)
            .DefaultIfEmpty(-1)
            .Min();
        Stopped = stop >= 0;
        var certain = Stopped ? stop : held.Length - PossibleStart();
        var free = held[..certain];
        held = Stopped ? "" : held[certain..];
        return free;
    }

    /// <summary>What is still held back, when no more text comes.</summary>
    public string Flush()
    {
        var rest = held;
        held = "";
        return rest;
    }

    /// <summary>Length of the longest end of the held text that is the start of a stop string.</summary>
    private int PossibleStart()
    {
        var longest = Math.Min(held.Length, stopStrings.Max(stop => stop.Length) - 1);
        for (var length = longest; length > 0; length--)
        {
            var end = held.AsSpan(held.Length - length);
            foreach (var stop in stopStrings)
            {
                if (stop.AsSpan().StartsWith(end, StringComparison.Ordinal))
                    return length;
            }
        }
        return 0;
    }
}
