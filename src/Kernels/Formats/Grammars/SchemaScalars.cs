using System.Globalization;
using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>Strings and numbers.</summary>
internal sealed class SchemaScalars(GrammarRules rules, JsonPieces json)
{
    /// <summary>Most values that bounds and <c>multipleOf</c> together are listed for.</summary>
    private const int MostListed = 1000;

    /// <summary>Largest number whose multiples are told by their digits: one rule each remainder.</summary>
    private const int LargestDivisor = 128;

    /// <summary>Numbers are written below this: a double holds their whole part, and their digits need not be compared.</summary>
    private const long Far = 1_000_000_000_000_000;

    public Piece Compile(string type, JsonObject schema, string path) =>
        type == "string" ? Text(schema, path) : Number(schema, type == "integer", path);

    private Piece Text(JsonObject schema, string path)
    {
        var (least, most) = (
            SchemaReading.Count(schema, "minLength", path) ?? 0,
            SchemaReading.Count(schema, "maxLength", path)
        );
        var pattern = SchemaReading.Text(schema, "pattern", path) is { } expression
            ? PatternReader.Read(expression, path)
            : null;
        var format = SchemaReading.Text(schema, "format", path) is { } name ? StringFormats.Find(name, path) : null;
        if (pattern is not null && format is not null)
            throw SchemaReading.Unsupported(path, "pattern and format at once are not done here");
        if ((pattern ?? format) is not { } form)
            return JsonPieces.Quoted(Piece.Times(json.Character, least, most));
        if (form.Least < least || (most is { } end && !(form.Most <= end)))
            throw SchemaReading.Unsupported(
                path,
                "minLength or maxLength that cut off what pattern or format admit are not done here"
            );
        return JsonPieces.Quoted(form.Inside());
    }

    private Piece Number(JsonObject schema, bool isWhole, string path)
    {
        var low = Bound(schema, "minimum", "exclusiveMinimum", path, lower: true);
        var high = Bound(schema, "maximum", "exclusiveMaximum", path, lower: false);
        if (SchemaReading.Number(schema, "multipleOf", path) is { } divisor)
            return Multiples(divisor, isWhole, low, high, path);
        if (low is null && high is null)
            return isWhole ? NumberPieces.Integer : NumberPieces.Number;
        var (from, to) = Within(low, high, path);
        return isWhole ? NumberRange.Integers(Up(from), Down(to)) : NumberRange.Decimals(from, to);
    }

    private Piece Multiples(decimal divisor, bool isWhole, NumberBound? low, NumberBound? high, string path)
    {
        if (divisor <= 0)
            throw SchemaReading.Invalid(path, "multipleOf must be above 0");
        if (low is { } from && high is { } to)
            return Listed(divisor, isWhole, from, to, path);
        if (low is not null || high is not null)
            throw SchemaReading.Unsupported(path, "multipleOf beside one bound is not done here; give both");
        if (divisor == decimal.Truncate(divisor) && divisor <= LargestDivisor)
            return NumberPieces.Multiples(rules, (int)divisor);
        for (var (digits, unit) = (1, 0.1m); digits <= 9 && !isWhole; digits++, unit /= 10)
        {
            if (divisor == unit)
                return NumberPieces.Rounded(digits);
        }
        throw SchemaReading.Unsupported(
            path,
            $"multipleOf is done for whole numbers up to {LargestDivisor}, for 0.1, 0.01 and so on, and between two bounds"
        );
    }

    private static Piece Listed(decimal divisor, bool isWhole, NumberBound low, NumberBound high, string path)
    {
        var (first, last) = (Math.Ceiling(low.Value / divisor), Math.Floor(high.Value / divisor));
        if (last - first >= MostListed)
            throw SchemaReading.Unsupported(path, $"multipleOf beside bounds is done for at most {MostListed} values");
        List<Piece> ways = [];
        for (var times = first; times <= last; times++)
        {
            var value = times * divisor;
            if (
                (low.IsExcluded && value == low.Value)
                || (high.IsExcluded && value == high.Value)
                || (isWhole && value != decimal.Truncate(value))
            )
                continue;
            ways.Add(Piece.Text(value.ToString("0.############################", CultureInfo.InvariantCulture)));
        }
        return Piece.Any(ways);
    }

    private static NumberBound? Bound(JsonObject schema, string included, string excluded, string path, bool lower)
    {
        if (schema[excluded] is JsonValue flag && flag.TryGetValue(out bool _))
            throw SchemaReading.Unsupported(
                path,
                $"{excluded} as true or false is of an old draft; give the number itself"
            );
        var (with, without) = (
            SchemaReading.Number(schema, included, path),
            SchemaReading.Number(schema, excluded, path)
        );
        if (with is null || without is null)
            return with is { } one ? new NumberBound(one, IsExcluded: false)
                : without is { } other ? new NumberBound(other, IsExcluded: true)
                : null;
        var isStricter = lower ? without >= with : without <= with;
        return isStricter
            ? new NumberBound(without.Value, IsExcluded: true)
            : new NumberBound(with.Value, IsExcluded: false);
    }

    /// <summary>Both bounds; one that is missing or beyond what is written stands as far as numbers are written.</summary>
    private static (NumberBound Low, NumberBound High) Within(NumberBound? low, NumberBound? high, string path)
    {
        if (low is { Value: >= Far } || high is { Value: <= -Far })
            throw SchemaReading.Unsupported(path, $"bounds beyond {Far} are not done here");
        return (
            low is { Value: > -Far } ? low.Value : new NumberBound(-Far, IsExcluded: true),
            high is { Value: < Far } ? high.Value : new NumberBound(Far, IsExcluded: true)
        );
    }

    private static long Up(NumberBound bound)
    {
        var whole = Math.Ceiling(bound.Value);
        return (long)whole + (bound.IsExcluded && whole == bound.Value ? 1 : 0);
    }

    private static long Down(NumberBound bound)
    {
        var whole = Math.Floor(bound.Value);
        return (long)whole - (bound.IsExcluded && whole == bound.Value ? 1 : 0);
    }
}
