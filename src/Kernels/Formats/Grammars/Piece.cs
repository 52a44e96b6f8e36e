namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>A part of a grammar: which texts it stands for.</summary>
internal abstract record Piece
{
    /// <summary>The empty text.</summary>
    public static readonly Piece Nothing = new Literal("");

    /// <summary>No text at all.</summary>
    public static readonly Piece Never = new Choice([]);

    public static Piece Text(string text) => new Literal(text);

    public static Piece Of(CharacterSet set) => set.IsEmpty ? Never : new Character(set);

    public static Piece All(params IReadOnlyList<Piece> parts) =>
        parts.Contains(Never) ? Never
        : parts.Count == 1 ? parts[0]
        : new Sequence(parts);

    public static Piece Any(params IReadOnlyList<Piece> ways)
    {
        List<Piece> possible = [.. ways.Where(way => way != Never).Distinct()];
        return possible.Count switch
        {
            0 => Never,
            1 => possible[0],
            _ => new Choice(possible),
        };
    }

    public static Piece Optional(Piece piece) => Times(piece, 0, 1);

    /// <param name="most">Null: any number.</param>
    public static Piece Times(Piece piece, int least, int? most) =>
        (least, most) switch
        {
            (_, { } end) when end < least => Never,
            (_, 0) => Nothing,
            (1, 1) => piece,
            _ when piece == Never => least == 0 ? Nothing : Never,
            _ => new Repetition(piece, least, most),
        };
}

internal sealed record Literal(string Value) : Piece;

internal sealed record Character(CharacterSet Set) : Piece;

internal sealed record Sequence(IReadOnlyList<Piece> Parts) : Piece;

internal sealed record Choice(IReadOnlyList<Piece> Ways) : Piece;

internal sealed record Repetition(Piece Repeated, int Least, int? Most) : Piece;

/// <summary>What a rule of this name stands for.</summary>
internal sealed record Use(string Rule) : Piece;
