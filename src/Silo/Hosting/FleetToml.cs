using System.Globalization;

namespace EgpuFleet.Silo.Hosting;

/// <summary>
/// The part of TOML that <c>fleet.toml</c> needs: <c>key = value</c> lines with texts, numbers and flags, comments,
/// and <c>[section]</c> headings, which become <c>section:key</c>. Anything else is an error that names its line.
/// </summary>
public static class FleetToml
{
    public static IReadOnlyDictionary<string, string?> ReadIfPresent(string path) =>
        File.Exists(path)
            ? Parse(File.ReadAllText(path), path)
            : new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <exception cref="FormatException">A line is not of this kind.</exception>
    public static IReadOnlyDictionary<string, string?> Parse(string text, string source)
    {
        ArgumentNullException.ThrowIfNull(text);
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        var section = string.Empty;
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.Trim();
            if (line.Length == 0 || line[0] == '#')
                continue;
            if (line[0] == '[' && line[^1] == ']' && IsKey(line[1..^1].Trim()))
            {
                section = line[1..^1].Trim() + ":";
                continue;
            }
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? string.Empty : line[..equals].Trim();
            if (!IsKey(key) || !TryValue(line[(equals + 1)..].Trim(), out var value))
                throw new FormatException(
                    $"{source}, line {number}: expected key = \"text\", a number, true or false."
                );
            if (!values.TryAdd(section + key, value))
                throw new FormatException($"{source}, line {number}: {key} is given twice.");
        }
        return values;
    }

    private static bool IsKey(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.');

    private static bool TryValue(string text, out string value)
    {
        value = string.Empty;
        if (text.Length > 0 && text[0] is '"' or '\'')
        {
            var end = text.IndexOf(text[0], 1);
            if (end < 0 || !IsEnd(text[(end + 1)..]))
                return false;
            value = text[1..end];
            return !value.Contains('\\', StringComparison.Ordinal);
        }
        var comment = text.IndexOf('#', StringComparison.Ordinal);
        value = (comment < 0 ? text : text[..comment]).TrimEnd();
        return value is "true" or "false"
            || double.TryParse(
                value,
                NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture,
                out _
            );
    }

    private static bool IsEnd(string rest) => rest.TrimStart() is "" or ['#', ..];
}
