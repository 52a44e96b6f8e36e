using System.Numerics;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>Some of a range of consecutive items, a bit each; all of them at first.</summary>
internal sealed class ItemSet
{
    private readonly int first;
    private readonly int length;
    private readonly ulong[]? words;
    private ulong word;

    private ItemSet(int first, int length, bool isFull)
    {
        (this.first, this.length) = (first, length);
        // Most shards are small: one word needs no array.
        if (length > 64)
            words = new ulong[(length + 63) / 64];
        if (!isFull)
            return;
        for (var i = 0; i < length; i += 64)
            WordOf(i) = length - i >= 64 ? ulong.MaxValue : (1UL << (length - i)) - 1;
        Count = length;
    }

    public static ItemSet Full(int first, int length) => new(first, length, isFull: true);

    public static ItemSet Empty(int first, int length) => new(first, length, isFull: false);

    /// <summary>How many are in it.</summary>
    public int Count { get; private set; }

    public bool Contains(int item) => IsInRange(item) && (WordOf(item - first) & BitOf(item - first)) != 0;

    /// <summary>False when it was in already.</summary>
    public bool Add(int item)
    {
        if (!IsInRange(item) || Contains(item))
            return false;
        WordOf(item - first) |= BitOf(item - first);
        Count++;
        return true;
    }

    /// <summary>False when it was not in.</summary>
    public bool Remove(int item)
    {
        if (!Contains(item))
            return false;
        WordOf(item - first) &= ~BitOf(item - first);
        Count--;
        return true;
    }

    public void Clear()
    {
        word = 0;
        words?.AsSpan().Clear();
        Count = 0;
    }

    private bool IsInRange(int item) => (uint)(item - first) < (uint)length;

    private ref ulong WordOf(int offset)
    {
        if (words is null)
            return ref word;
        return ref words[offset / 64];
    }

    private static ulong BitOf(int offset) => BitOperations.RotateLeft(1UL, offset);
}
