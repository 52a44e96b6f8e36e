namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>
/// The formats of strings that are enforced, as patterns. Each admits a part of what its standard does: the form that
/// everyone reads. Of the days of February, the 29th is left out.
/// </summary>
internal static class StringFormats
{
    private const string Date =
        "[12]\\d{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))";
    private const string Time =
        "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?(?:Z|[+-](?:(?:0\\d|1[0-3]):[0-5]\\d|14:00))";
    private const string Label = "[a-z0-9]{1,20}(?:-[a-z0-9]{1,20}){0,2}";
    private const string Host = $"{Label}(?:\\.{Label}){{0,4}}\\.[a-z]{{2,12}}";
    private const string Octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
    private const string Group = "[0-9a-f]{1,4}";
    private const string Segments = "(?:/[A-Za-z0-9._~-]{1,64}){0,8}";

    private static readonly Dictionary<string, string> Patterns = new(StringComparer.Ordinal)
    {
        ["date"] = Date,
        ["time"] = Time,
        ["date-time"] = $"{Date}T{Time}",
        ["duration"] = "P(?:\\d{1,4}W|\\d{1,4}D(?:T\\d{1,2}H)?|T\\d{1,4}[HMS]|\\d{1,4}Y)",
        ["email"] = $"[A-Za-z0-9_+-]{{1,32}}(?:\\.[A-Za-z0-9_+-]{{1,16}}){{0,2}}@{Host}",
        ["hostname"] = Host,
        ["ipv4"] = $"{Octet}(?:\\.{Octet}){{3}}",
        ["ipv6"] = $"{Group}(?::{Group}){{7}}",
        ["uuid"] = "[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        ["uri"] = $"https?://{Host}{Segments}",
    };

    /// <summary>Null for a format that only says what is meant.</summary>
    public static StringPattern? Find(string name, string path) =>
        Patterns.TryGetValue(name, out var pattern) ? PatternReader.Read($"^{pattern}$", path) : null;
}
