namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>Names of properties that a schema does not name.</summary>
internal static class KeyPieces
{
    /// <summary>A name in quotes that is none of these.</summary>
    public static Piece NoneOf(IReadOnlyList<string> names, JsonPieces json, string path)
    {
        if (names.Count == 0)
            return json.Key;
        if (names.Any(name => name.Length > Limits.SchemaNameChars))
            throw new SchemaException(
                SchemaFault.Limit,
                path,
                $"names of properties have at most {Limits.SchemaNameChars} characters"
            );
        // One that has to be escaped cannot be written by chance: free names have no escapes.
        var runes = names.Select(name => name.EnumerateRunes().Select(rune => rune.Value).ToArray());
        return JsonPieces.Quoted(Apart([.. runes.Where(name => name.All(JsonPieces.Itself.Contains))], 0));
    }

    /// <summary>What may follow where so many characters of these names have been written.</summary>
    private static Piece Apart(IReadOnlyList<int[]> names, int at)
    {
        var going = names.Where(name => name.Length > at).GroupBy(name => name[at]).ToList();
        var elsewhere = JsonPieces.Itself.Without(CharacterSet.Of(going.Select(group => (group.Key, group.Key))));
        List<Piece> ways =
        [
            Piece.All(Piece.Of(elsewhere), Piece.Times(Piece.Of(JsonPieces.Itself), 0, null)),
            .. going.Select(group => Piece.All(Piece.Of(CharacterSet.Single(group.Key)), Apart([.. group], at + 1))),
        ];
        if (names.All(name => name.Length != at))
            ways.Add(Piece.Nothing);
        return Piece.Any(ways);
    }
}
