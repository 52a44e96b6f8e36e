using System.Text;

namespace EgpuFleet.Kernels.Text;

/// <summary>Makes text of the bytes of tokens: whole characters only, ending before the first stop string.</summary>
internal sealed class CompletionText(IReadOnlyList<string> stopStrings)
{
    private readonly Decoder decoder = Encoding.UTF8.GetDecoder();
    private readonly StopStringFilter filter = new(stopStrings);

    public bool Stopped => filter.Stopped;

    /// <summary>Takes the bytes of one token; returns the text that is complete and certain.</summary>
    public string Append(ReadOnlySpan<byte> bytes) => filter.Append(Decode(bytes, flush: false));

    /// <summary>What is left at the end; an incomplete character becomes U+FFFD.</summary>
    public string Finish()
    {
        var rest = filter.Append(Decode([], flush: true));
        return Stopped ? rest : rest + filter.Flush();
    }

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        var chars = new char[decoder.GetCharCount(bytes, flush)];
        var count = decoder.GetChars(bytes, chars, flush);
        return new string(chars, 0, count);
    }
}
