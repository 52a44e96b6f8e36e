using System.Buffers.Binary;

namespace EgpuFleet.Simulation.Tests.World;

/// <summary>The chance of one run (SplitMix64): a seed gives the same numbers on every machine and runtime.</summary>
internal sealed class Dice(ulong seed)
{
    private ulong state = seed;

    public ulong NextBits()
    {
        state += 0x9E3779B97F4A7C15;
        var z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number from 0 to <paramref name="bound"/> - 1.</summary>
    public int Next(int bound) => (int)(((UInt128)NextBits() * (ulong)bound) >> 64);

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>, both possible.</summary>
    public int Between(int least, int most) => least + Next(most - least + 1);

    public TimeSpan Between(TimeSpan least, TimeSpan most) => least + ((most - least) * Fraction());

    public bool Chance(double probability) => Fraction() < probability;

    public T Pick<T>(IReadOnlyList<T> items) => items[Next(items.Count)];

    public T PickEnum<T>()
        where T : struct, Enum => Pick(Enum.GetValues<T>());

    /// <summary>A version-7 UUID, so that ids sort by creation as real ones do.</summary>
    public Guid NextId(DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, ((ulong)now.ToUnixTimeMilliseconds() << 16) | 0x7000);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], (NextBits() >> 2) | 0x8000_0000_0000_0000);
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>A source of its own for one part of the world, so that more draws in one part change nothing in another.</summary>
    public Dice Fork() => new(NextBits());

    private double Fraction() => (NextBits() >> 11) * (1.0 / (1UL << 53));
}
