using System.Text;

namespace EgpuFleet.Silo.Postgres;

/// <summary>Text for text columns, which take neither NUL nor broken surrogates: those become U+FFFD.</summary>
internal static class LedgerText
{
    public static string Clean(string text)
    {
        var bounded = text.Length > Limits.LedgerTextCharsMax ? text[..Limits.LedgerTextCharsMax] : text;
        return bounded.AsSpan().IndexOfAnyExceptInRange('\u0001', '\uD7FF') < 0
            ? bounded
            : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(bounded)).Replace('\0', '\uFFFD');
    }
}
