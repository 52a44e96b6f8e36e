using System.Text;

namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>
/// The printable stand-ins for bytes that byte-level BPE vocabularies are written in: a byte that is a visible Latin-1
/// character stands for itself, every other byte for the next code point from 256 on.
/// </summary>
public static class ByteAlphabet
{
    // 256 letters, the highest of which is U+0143.
    private const int LetterLimit = 0x144;

    private static readonly char[] Letters = MakeLetters();
    private static readonly short[] Bytes = MakeBytes();

    /// <summary>The letter of a byte.</summary>
    public static char Letter(byte value) => Letters[value];

    /// <summary>Whether a character is the letter of a byte, and of which.</summary>
    public static bool TryGetByte(char letter, out byte value)
    {
        var known = letter < LetterLimit ? Bytes[letter] : (short)-1;
        value = (byte)known;
        return known >= 0;
    }

    /// <summary>The text's UTF-8 bytes, one letter each.</summary>
    public static string Encode(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        _ = Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(
            bytes.Length,
            bytes,
            (letters, source) =>
            {
                for (var i = 0; i < source.Length; i++)
                    letters[i] = Letters[source[i]];
            }
        );
    }

    /// <summary>The bytes that letters stand for; a character that is no letter of a byte gives its own UTF-8.</summary>
    public static byte[] Decode(string letters)
    {
        var bytes = new List<byte>(letters.Length);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in letters.EnumerateRunes())
        {
            if (rune.IsBmp && TryGetByte((char)rune.Value, out var value))
                bytes.Add(value);
            else
                bytes.AddRange(utf8[..rune.EncodeToUtf8(utf8)]);
        }
        return [.. bytes];
    }

    private static char[] MakeLetters()
    {
        var letters = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            var visible = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            letters[value] = visible ? (char)value : (char)next++;
        }
        return letters;
    }

    private static short[] MakeBytes()
    {
        var bytes = new short[LetterLimit];
        Array.Fill(bytes, (short)-1);
        for (var value = 0; value < Letters.Length; value++)
            bytes[Letters[value]] = (short)value;
        return bytes;
    }
}
