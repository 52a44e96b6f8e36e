using System.Text;

namespace EgpuFleet.Kernels.Torch.Tokenizing;

/// <summary>
/// The printable stand-ins for bytes that byte-level BPE vocabularies are written in: a byte that is a visible Latin-1
/// character stands for itself, every other byte for the next code point from 256 on.
/// </summary>
public static class ByteAlphabet
{
    private static readonly char[] Letters = MakeLetters();
    private static readonly Dictionary<char, byte> Bytes = Letters
        .Select((letter, index) => (letter, index))
        .ToDictionary(pair => pair.letter, pair => (byte)pair.index);

    /// <summary>The letter of a byte.</summary>
    public static char Letter(byte value) => Letters[value];

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

    /// <summary>The bytes that letters stand for.</summary>
    public static byte[] Decode(string letters) => [.. letters.Select(letter => Bytes[letter])];

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
}
