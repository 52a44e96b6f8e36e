using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Silo.Postgres.Files;

namespace EgpuFleet.Silo.Gateway.OpenAi.Files;

/// <summary>Files as the API answers them.</summary>
public static class FileAnswers
{
    public static StoredFileInfo Show(StoredFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return new StoredFileInfo(
            file.Id.ToString(),
            "file",
            file.SizeBytes,
            file.CreatedAt.ToUnixTimeSeconds(),
            file.Name,
            file.Purpose,
            "processed",
            new StoredFileExtras(file.Sha256)
        );
    }

    public static IResult Json<T>(T answer) => Results.Json(answer, OpenAiJson.Options);

    /// <summary>The bytes, or a range of them; the hash is the entity tag.</summary>
    /// <param name="name">What a browser is to save it as; null for no name.</param>
    public static IResult Content(FileTables files, StoredFile file, string? name)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(file);
        return Results.Stream(
            files.Open(file),
            "application/octet-stream",
            name,
            entityTag: new($"\"{file.Sha256}\""),
            enableRangeProcessing: true
        );
    }

    /// <exception cref="GatewayException">404.</exception>
    public static async Task<StoredFile> RequireAsync(
        FileTables files,
        string id,
        TenantId? tenant,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(files);
        return FileId.TryParse(id, out var known) && await files.FindAsync(known, tenant, cancellationToken) is { } file
            ? file
            : throw Unknown(id);
    }

    public static GatewayException Unknown(string id) =>
        new(HttpStatusCode.NotFound, "file_not_found", $"There is no file {id}.") { Param = "id" };
}
