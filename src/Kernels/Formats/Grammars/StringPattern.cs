namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>Which texts a string may be: what a regular expression says, without anchors.</summary>
internal abstract record StringPattern
{
    public static readonly StringPattern Empty = new PatternSequence([]);

    /// <summary>Fewest code points.</summary>
    public abstract int Least { get; }

    /// <summary>Most code points; null: any number.</summary>
    public abstract int? Most { get; }

    /// <summary>The text between a string's quotes.</summary>
    public abstract Piece Inside();
}

internal sealed record PatternCharacter(CharacterSet Set) : StringPattern
{
    public override int Least => 1;

    public override int? Most => 1;

    public override Piece Inside() => JsonPieces.Inside(Set);
}

internal sealed record PatternSequence(IReadOnlyList<StringPattern> Parts) : StringPattern
{
    public override int Least => Parts.Sum(part => part.Least);

    public override int? Most => Parts.Aggregate((int?)0, (sum, part) => sum + part.Most);

    public override Piece Inside() =>
        Parts.Count == 0 ? Piece.Nothing : Piece.All([.. Parts.Select(part => part.Inside())]);
}

internal sealed record PatternChoice(IReadOnlyList<StringPattern> Ways) : StringPattern
{
    public override int Least => Ways.Min(way => way.Least);

    public override int? Most => Ways.Any(way => way.Most is null) ? null : Ways.Max(way => way.Most!.Value);

    public override Piece Inside() => Piece.Any([.. Ways.Select(way => way.Inside())]);
}

internal sealed record PatternRepetition(StringPattern Repeated, int Times, int? AtMost) : StringPattern
{
    public override int Least => Repeated.Least * Times;

    public override int? Most => AtMost == 0 || Repeated.Most == 0 ? 0 : Repeated.Most * AtMost;

    public override Piece Inside() => Piece.Times(Repeated.Inside(), Times, AtMost);
}
