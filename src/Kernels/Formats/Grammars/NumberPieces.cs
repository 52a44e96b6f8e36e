namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>Numbers of JSON. As many digits as every reader keeps.</summary>
internal static class NumberPieces
{
    /// <summary>Digits of a whole number that a double holds exactly.</summary>
    public const int WholeDigits = 15;

    private const int FractionDigits = 16;

    private const int RoundedDigits = 10;

    public static readonly Piece Digit = Piece.Of(CharacterSet.Of(('0', '9')));

    private static readonly Piece Minus = Piece.Optional(Piece.Text("-"));

    public static readonly Piece Integer = Piece.All(Minus, Whole(WholeDigits));

    public static readonly Piece Number = Piece.All(
        Integer,
        Fraction(FractionDigits),
        Piece.Optional(
            Piece.All(
                Piece.Of(CharacterSet.Of(('e', 'e'), ('E', 'E'))),
                Piece.Optional(Piece.Of(CharacterSet.Of(('+', '+'), ('-', '-')))),
                Piece.Times(Digit, 1, 2)
            )
        )
    );

    /// <summary>Nothing, or a point and digits.</summary>
    public static Piece Fraction(int mostDigits) =>
        mostDigits == 0 ? Piece.Nothing : Piece.Optional(Piece.All(Piece.Text("."), Piece.Times(Digit, 1, mostDigits)));

    /// <summary>A number of so many digits after the point at most, small enough for readers that divide doubles to see it.</summary>
    public static Piece Rounded(int fractionDigits) =>
        Piece.All(Minus, Whole(RoundedDigits - fractionDigits), Fraction(fractionDigits));

    /// <summary>
    /// Whole multiples of a small number: one rule for each remainder that the digits read so far may leave and each number of
    /// digits that may follow.
    /// </summary>
    public static Piece Multiples(GrammarRules rules, int of)
    {
        if (of == 1)
            return Integer;
        // Rules are memory of the engine: fewer digits for more remainders.
        var digits = of switch
        {
            <= 16 => WholeDigits,
            <= 64 => 9,
            _ => 6,
        };
        var after = new Piece[of];
        Array.Fill(after, Piece.Never);
        after[0] = Piece.Nothing;
        for (var left = 1; left < digits; left++)
            after = [.. Enumerable.Range(0, of).Select(rest => Following(rest, after))];
        var first = Enumerable.Range(1, 9).Select(digit => One(digit, after[digit % of]));
        return Piece.All(Minus, Piece.Any([Piece.Text("0"), .. first]));

        Piece Following(int rest, Piece[] then)
        {
            var ways = Enumerable.Range(0, 10).Select(digit => One(digit, then[((rest * 10) + digit) % of]));
            return rules.Add(
                $"rest{rest}",
                Piece.Any([.. ways, .. rest == 0 ? [Piece.Nothing] : Array.Empty<Piece>()])
            );
        }

        static Piece One(int digit, Piece then) => Piece.All(Piece.Text(((char)('0' + digit)).ToString()), then);
    }

    private static Piece Whole(int mostDigits) =>
        Piece.Any(
            Piece.Text("0"),
            Piece.All(Piece.Of(CharacterSet.Of(('1', '9'))), Piece.Times(Digit, 0, mostDigits - 1))
        );
}
