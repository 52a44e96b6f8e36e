namespace EgpuFleet.Grains.Training.Policy;

/// <summary>
/// Which microshards of a run can still be handed out: those that came back, then those that nobody had yet. Whatever else
/// is below <paramref name="Next"/> is leased, contributed, or applied.
/// </summary>
/// <param name="Count">Of all epochs together; they are numbered from 0 through them.</param>
/// <param name="Next">The first that nobody ever had.</param>
/// <param name="Returned">In ascending order, each once.</param>
public sealed record MicroshardBook(int Count, int Next, IReadOnlyList<int> Returned)
{
    public static MicroshardBook Of(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new MicroshardBook(count, 0, []);
    }

    public bool HasFree => Free > 0;

    public int Free => Returned.Count + Count - Next;

    /// <summary>Hands out up to <paramref name="most"/>, the lowest first.</summary>
    public (MicroshardBook Left, IReadOnlyList<int> Taken) Take(int most)
    {
        var old = Math.Min(most, Returned.Count);
        var fresh = Math.Min(most - old, Count - Next);
        return (
            this with
            {
                Next = Next + fresh,
                Returned = [.. Returned.Skip(old)],
            },
            [.. Returned.Take(old), .. Enumerable.Range(Next, fresh)]
        );
    }

    /// <summary>Takes back what is not, or will not be, applied.</summary>
    /// <exception cref="InvalidOperationException">One of them is free already, or was never handed out.</exception>
    public MicroshardBook Return(IEnumerable<int> microshards)
    {
        int[] returned = [.. Returned.Concat(microshards).Order()];
        for (var i = 0; i < returned.Length; i++)
        {
            if (returned[i] < 0 || returned[i] >= Next || (i > 0 && returned[i] == returned[i - 1]))
                throw new InvalidOperationException($"Microshard {returned[i]} comes back but is not out.");
        }
        return this with { Returned = returned };
    }
}
