namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>How a kind of vocabulary turns plain text into tokens and a token into bytes.</summary>
internal interface ITokenModel
{
    /// <summary>Appends the tokens of a text without special tokens.</summary>
    /// <param name="text">Valid UTF-16.</param>
    /// <param name="afterSpecial">Whether a special token or nothing comes before it.</param>
    /// <param name="tokens">Where to append.</param>
    void Encode(ReadOnlySpan<char> text, bool afterSpecial, List<int> tokens);

    /// <summary>The bytes of a token that has no special kind.</summary>
    byte[] Bytes(string tokenText);
}
