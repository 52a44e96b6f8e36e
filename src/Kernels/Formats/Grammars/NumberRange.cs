using System.Globalization;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>A bound of a range.</summary>
internal readonly record struct NumberBound(decimal Value, bool IsExcluded);

/// <summary>Decimals between two bounds, written without an exponent.</summary>
internal static class NumberRange
{
    /// <summary>Digits that may follow where those before have settled the comparison.</summary>
    private const int FreeDigits = 8;

    private const int ZeroDigits = 3;

    private static readonly Piece Free = Piece.Times(NumberPieces.Digit, 0, FreeDigits);
    private static readonly Piece Zeros = Piece.Times(Piece.Text("0"), 0, ZeroDigits);

    /// <summary>Whole numbers from <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    public static Piece Integers(long low, long high)
    {
        if (low > high)
            return Piece.Never;
        List<Piece> ways = [];
        if (low < 0)
            ways.Add(Piece.All(Piece.Text("-"), Naturals(high < 0 ? -high : 1, -low)));
        if (high >= 0)
            ways.Add(Naturals(Math.Max(low, 0), high));
        return Piece.Any(ways);
    }

    /// <summary>Numbers between two bounds, with or without a fraction.</summary>
    public static Piece Decimals(NumberBound low, NumberBound high)
    {
        if (low.Value > high.Value || (low.Value == high.Value && (low.IsExcluded || high.IsExcluded)))
            return Piece.Never;
        List<Piece> ways = [];
        if (low.Value < 0)
        {
            var near =
                high.Value < 0
                    ? high with
                    {
                        Value = -high.Value,
                    }
                    : new NumberBound(0, high is { Value: 0, IsExcluded: true });
            ways.Add(Piece.All(Piece.Text("-"), Positives(near, low with { Value = -low.Value })));
        }
        if (high.Value >= 0)
            ways.Add(Positives(low.Value >= 0 ? low : new NumberBound(0, IsExcluded: false), high));
        return Piece.Any(ways);
    }

    private static Piece Positives(NumberBound low, NumberBound high)
    {
        var (from, to) = ((long)decimal.Truncate(low.Value), (long)decimal.Truncate(high.Value));
        var (more, less) = (FractionOf(low.Value), FractionOf(high.Value));
        if (from == to)
            return Piece.All(Naturals(from, from), Between(more, low.IsExcluded, less, high.IsExcluded));
        return Piece.Any(
            Piece.All(Naturals(from, from), AtLeast(more, low.IsExcluded)),
            from + 1 > to - 1 ? Piece.Never : Piece.All(Naturals(from + 1, to - 1), NumberPieces.Fraction(FreeDigits)),
            Piece.All(Naturals(to, to), AtMost(less, high.IsExcluded))
        );
    }

    /// <summary>Digits after the point, without zeros at the end.</summary>
    private static string FractionOf(decimal value)
    {
        var text = value.ToString(CultureInfo.InvariantCulture);
        var point = text.IndexOf('.', StringComparison.Ordinal);
        return point < 0 ? "" : text[(point + 1)..].TrimEnd('0');
    }

    private static Piece AtLeast(string digits, bool excluded) =>
        digits.Length == 0 && !excluded
            ? NumberPieces.Fraction(FreeDigits)
            : Piece.All(Piece.Text("."), DigitsAbove(digits, excluded));

    private static Piece AtMost(string digits, bool excluded)
    {
        if (digits.Length == 0)
            return excluded ? Piece.Never : Piece.Optional(Piece.All(Piece.Text(".0"), Zeros));
        return Piece.Optional(Piece.All(Piece.Text("."), DigitsBelow(digits, excluded, least: 1)));
    }

    private static Piece Between(string low, bool lowExcluded, string high, bool highExcluded)
    {
        if (low == high)
            return low.Length == 0 ? AtMost("", excluded: false) : Piece.All(Piece.Text("." + low), Zeros);
        var settled = low.Length == 0 && !lowExcluded ? Piece.Nothing : Piece.Never;
        var width = Math.Max(low.Length, high.Length);
        var (more, less) = (low.PadRight(width, '0'), high.PadRight(width, '0'));
        var same = more.Zip(less).TakeWhile(pair => pair.First == pair.Second).Count();
        var prefix = Piece.Text("." + more[..same]);
        return Piece.Any(
            settled,
            Piece.All(
                prefix,
                Piece.Text(more[same..(same + 1)]),
                DigitsAbove(more[(same + 1)..].TrimEnd('0'), lowExcluded)
            ),
            Piece.All(prefix, Range(more[same] + 1, less[same] - 1), Free),
            Piece.All(
                prefix,
                Piece.Text(less[same..(same + 1)]),
                DigitsBelow(less[(same + 1)..].TrimEnd('0'), highExcluded, least: 0)
            )
        );
    }

    /// <summary>Digits whose fraction is at least that of <paramref name="digits"/>; at least one digit where those are none.</summary>
    private static Piece DigitsAbove(string digits, bool excluded)
    {
        List<Piece> ways =
        [
            .. digits.Select((digit, at) => Piece.All(Piece.Text(digits[..at]), Range(digit + 1, '9'), Free)),
            Piece.All(Piece.Text(digits), excluded ? Piece.All(Zeros, Range('1', '9'), Free) : Free),
        ];
        return Piece.Any(ways);
    }

    /// <summary>Digits whose fraction is at most that of <paramref name="digits"/>.</summary>
    private static Piece DigitsBelow(string digits, bool excluded, int least)
    {
        List<Piece> ways =
        [
            .. Enumerable
                .Range(least, Math.Max(0, digits.Length - least))
                .Select(length => Piece.Text(digits[..length])),
            .. digits.Select((digit, at) => Piece.All(Piece.Text(digits[..at]), Range('0', digit - 1), Free)),
        ];
        if (!excluded)
            ways.Add(Piece.All(Piece.Text(digits), Zeros));
        return Piece.Any(ways);
    }

    /// <summary>Numbers without a sign.</summary>
    private static Piece Naturals(long low, long high)
    {
        List<Piece> ways = [];
        for (var from = low; from <= high; )
        {
            var text = from.ToString(CultureInfo.InvariantCulture);
            var longest =
                text.Length >= 19
                    ? long.MaxValue
                    : long.Parse(new string('9', text.Length), CultureInfo.InvariantCulture);
            var to = Math.Min(high, longest);
            ways.Add(SameLength(text, to.ToString(CultureInfo.InvariantCulture)));
            if (to == high)
                break;
            from = to + 1;
        }
        return Piece.Any(ways);
    }

    private static Piece SameLength(string low, string high)
    {
        if (low.Length == 0)
            return Piece.Nothing;
        if (low.All(digit => digit == '0') && high.All(digit => digit == '9'))
            return Piece.Times(NumberPieces.Digit, low.Length, low.Length);
        if (low[0] == high[0])
            return Piece.All(Piece.Text(low[..1]), SameLength(low[1..], high[1..]));
        var rest = low.Length - 1;
        // Where the rest of a bound is free, its first digit joins those between.
        var lowFree = low[1..].All(digit => digit == '0');
        var highFree = high[1..].All(digit => digit == '9');
        List<Piece> ways = [];
        if (!lowFree)
            ways.Add(Piece.All(Piece.Text(low[..1]), SameLength(low[1..], new string('9', rest))));
        ways.Add(
            Piece.All(
                Range(lowFree ? low[0] : low[0] + 1, highFree ? high[0] : high[0] - 1),
                Piece.Times(NumberPieces.Digit, rest, rest)
            )
        );
        if (!highFree)
            ways.Add(Piece.All(Piece.Text(high[..1]), SameLength(new string('0', rest), high[1..])));
        return Piece.Any(ways);
    }

    private static Piece Range(int first, int last) =>
        first > last ? Piece.Never : Piece.Of(CharacterSet.Of((first, last)));
}
