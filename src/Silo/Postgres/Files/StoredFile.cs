namespace EgpuFleet.Silo.Postgres.Files;

/// <summary>An uploaded file, whole.</summary>
/// <param name="Name">As its uploader named it, without folders.</param>
/// <param name="Sha256">Lower-case hexadecimal.</param>
public sealed record StoredFile(
    FileId Id,
    string Name,
    string Purpose,
    long SizeBytes,
    string Sha256,
    DateTimeOffset CreatedAt
);

/// <summary>Id of a file as the API writes it: <c>file-</c> and 32 hexadecimal digits.</summary>
public readonly record struct FileId(Guid Value)
{
    private const string Prefix = "file-";

    public static bool TryParse(string? text, out FileId id)
    {
        id = default;
        if (
            text?.StartsWith(Prefix, StringComparison.Ordinal) != true
            || !Guid.TryParseExact(text.AsSpan(Prefix.Length), "N", out var value)
        )
            return false;
        id = new FileId(value);
        return true;
    }

    public override string ToString() => Prefix + Value.ToString("N");
}

/// <summary>What a list of files asks for.</summary>
/// <param name="Purpose">Null for any.</param>
/// <param name="After">Files behind this one in the order asked for.</param>
public sealed record FilePage(string? Purpose, FileId? After, bool OldestFirst, int Limit);

/// <summary>What became of a wish to remove a file.</summary>
public enum FileRemoval
{
    /// <summary>It is gone, or was never there.</summary>
    Gone,

    /// <summary>A fine-tuning run that is not over needs it.</summary>
    InUse,
}
