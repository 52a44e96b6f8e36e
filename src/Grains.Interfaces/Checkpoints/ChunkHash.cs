using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EgpuFleet.Grains.Interfaces.Checkpoints;

/// <summary>SHA-256 of a chunk's bytes: its name. Sorts as its bytes do, which is how Postgres sorts it too.</summary>
public readonly record struct ChunkHash(UInt128 High, UInt128 Low) : IComparable<ChunkHash>
{
    public const int Bytes = SHA256.HashSizeInBytes;

    public static ChunkHash Of(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[Bytes];
        SHA256.HashData(data, hash);
        return Read(hash);
    }

    /// <param name="source">At least <see cref="Bytes"/> bytes.</param>
    public static ChunkHash Read(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt128BigEndian(source), BinaryPrimitives.ReadUInt128BigEndian(source[16..Bytes]));

    /// <summary>Hashes that lie one after the other; the length must be a multiple of <see cref="Bytes"/>.</summary>
    public static ChunkHash[] ReadAll(ReadOnlySpan<byte> source)
    {
        var hashes = new ChunkHash[source.Length / Bytes];
        for (var i = 0; i < hashes.Length; i++)
            hashes[i] = Read(source[(i * Bytes)..]);
        return hashes;
    }

    public static byte[] WriteAll(IReadOnlyList<ChunkHash> hashes)
    {
        ArgumentNullException.ThrowIfNull(hashes);
        var all = new byte[hashes.Count * Bytes];
        for (var i = 0; i < hashes.Count; i++)
            hashes[i].Write(all.AsSpan(i * Bytes));
        return all;
    }

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination, High);
        BinaryPrimitives.WriteUInt128BigEndian(destination[16..], Low);
    }

    public byte[] ToArray()
    {
        var bytes = new byte[Bytes];
        Write(bytes);
        return bytes;
    }

    public int CompareTo(ChunkHash other)
    {
        var high = High.CompareTo(other.High);
        return high != 0 ? high : Low.CompareTo(other.Low);
    }

    public static bool operator <(ChunkHash left, ChunkHash right) => left.CompareTo(right) < 0;

    public static bool operator <=(ChunkHash left, ChunkHash right) => left.CompareTo(right) <= 0;

    public static bool operator >(ChunkHash left, ChunkHash right) => left.CompareTo(right) > 0;

    public static bool operator >=(ChunkHash left, ChunkHash right) => left.CompareTo(right) >= 0;

    public override string ToString() => Convert.ToHexStringLower(ToArray());
}
