using System.Buffers.Binary;
using System.Text;

namespace EgpuFleet.Kernels.Torch.Loading;

/// <summary>The few parts of a 64-bit little-endian ELF library that say which symbol versions it needs.</summary>
internal sealed class ElfFile
{
    private const uint DynamicSymbols = 11;
    private const uint VersionNeeds = 0x6ffffffe;
    private const uint SymbolVersions = 0x6fffffff;

    private readonly byte[] image;

    public ElfFile(byte[] image)
    {
        this.image = image;
        if (image.Length < 64 || !image.AsSpan(0, 6).SequenceEqual("\u007fELF\u0002\u0001"u8))
            throw new InvalidDataException("Not a 64-bit little-endian ELF file.");
        var table = Int64(0x28);
        var count = UInt16(0x3C);
        for (var i = 0; i < count; i++)
            ReadSection(table + (i * 64), table);
        if (Symbols is null || Versions is null || Needs is null)
            throw new InvalidDataException("The library has no dynamic symbol versions.");
    }

    /// <summary>Dynamic symbol table: 24 bytes an entry.</summary>
    public Section? Symbols { get; private set; }

    /// <summary>Version index of each symbol: 2 bytes an entry.</summary>
    public Section? Versions { get; private set; }

    /// <summary>Needed versions: chains of entries per library.</summary>
    public Section? Needs { get; private set; }

    /// <summary>Where the names of the dynamic symbols start.</summary>
    public int Names { get; private set; }

    public ushort UInt16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(image.AsSpan(offset));

    public uint UInt32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan(offset));

    public string Name(int nameOffset)
    {
        var start = Names + nameOffset;
        return Encoding.ASCII.GetString(image, start, Array.IndexOf(image, (byte)0, start) - start);
    }

    public void Write(int offset, ReadOnlySpan<byte> bytes) => bytes.CopyTo(image.AsSpan(offset));

    private int Int64(int offset) => checked((int)BinaryPrimitives.ReadInt64LittleEndian(image.AsSpan(offset)));

    private void ReadSection(int header, int table)
    {
        var section = new Section(Int64(header + 24), Int64(header + 32), (int)UInt32(header + 44));
        switch (UInt32(header + 4))
        {
            case DynamicSymbols:
                Symbols = section;
                Names = Int64(table + ((int)UInt32(header + 40) * 64) + 24);
                break;
            case SymbolVersions:
                Versions = section;
                break;
            case VersionNeeds:
                Needs = section;
                break;
        }
    }

    /// <summary>Where a section is, its size in bytes and its extra number (entries, for version needs).</summary>
    internal sealed record Section(int Offset, int Bytes, int Info);
}
