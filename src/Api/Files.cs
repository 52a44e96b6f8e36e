namespace EgpuFleet.Api;

/// <summary>An uploaded file: OpenAI's fields, and ours under one key.</summary>
/// <param name="Object"><c>file</c>.</param>
/// <param name="CreatedAt">Unix seconds.</param>
/// <param name="Purpose"><c>fine-tune</c> or <c>batch</c>.</param>
/// <param name="Status"><c>processed</c>: a file is seen when it is whole.</param>
public sealed record StoredFileInfo(
    string Id,
    string Object,
    long Bytes,
    long CreatedAt,
    string Filename,
    string Purpose,
    string Status,
    StoredFileExtras Egpufleet
);

/// <param name="Sha256">Lower-case hexadecimal.</param>
public sealed record StoredFileExtras(string Sha256);

/// <summary>Answer of a deletion.</summary>
public sealed record DeletedFileInfo(string Id, string Object, bool Deleted);
