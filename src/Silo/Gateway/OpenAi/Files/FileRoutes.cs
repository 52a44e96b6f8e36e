using System.Globalization;
using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Silo.Gateway.Native;
using EgpuFleet.Silo.Postgres.Files;
using Microsoft.AspNetCore.Mvc;

namespace EgpuFleet.Silo.Gateway.OpenAi.Files;

/// <summary><c>/v1/files</c>: upload, list, look at, read, delete.</summary>
public static class FileRoutes
{
    public static void MapFiles(this IEndpointRouteBuilder routes)
    {
        var files = routes.MapGroup(Routes.Files).WithTags("openai");
        files
            .MapPost("", (HttpContext context, FileUpload upload) => upload.HandleAsync(context))
            // Above the limit of a file: what is a little too large is read to its end and sees the 413.
            .WithMetadata(new RequestSizeLimitAttribute(2 * Limits.FileBytes))
            .Produces<StoredFileInfo>()
            .WithSummary("Upload a file as multipart/form-data with purpose and file");
        files.MapGet("", ListAsync).Produces<Page<StoredFileInfo>>().WithSummary("All files, newest first");
        files.MapGet("{id}", GetAsync).Produces<StoredFileInfo>().WithSummary("One file");
        files.MapGet("{id}/content", SendAsync).WithSummary("Its content; range requests are honoured");
        files.MapDelete("{id}", DeleteAsync).Produces<DeletedFileInfo>().WithSummary("Delete a file");
    }

    private static async Task<IResult> ListAsync(HttpRequest request, FileTables files, CancellationToken cancellation)
    {
        var limit = Limits.TenantFiles;
        if (
            request.Query["limit"].ToString() is { Length: > 0 } text
            && (!int.TryParse(text, NumberStyles.None, null, out limit) || limit is < 1 or > Limits.TenantFiles)
        )
            throw Wrong("limit", $"must be 1 to {Limits.TenantFiles}");
        var order = request.Query["order"].ToString();
        if (order is not ("" or "asc" or "desc"))
            throw Wrong("order", "must be asc or desc");
        var purpose = request.Query["purpose"].ToString();
        FileId? after = null;
        if (request.Query["after"].ToString() is { Length: > 0 } cursor)
            after = FileId.TryParse(cursor, out var id) ? id : throw Wrong("after", "is no id of a file");
        var page = new FilePage(purpose.Length == 0 ? null : purpose, after, order == "asc", limit + 1);
        var found = await files.ListAsync(TenantId.Default, page, cancellation);
        StoredFileInfo[] shown = [.. found.Take(limit).Select(FileAnswers.Show)];
        return FileAnswers.Json(Pages.Of(shown, file => file.Id, found.Count > limit));
    }

    private static async Task<IResult> GetAsync(string id, FileTables files, CancellationToken cancellation) =>
        FileAnswers.Json(FileAnswers.Show(await FileAnswers.RequireAsync(files, id, TenantId.Default, cancellation)));

    private static async Task<IResult> SendAsync(string id, FileTables files, CancellationToken cancellation)
    {
        var file = await FileAnswers.RequireAsync(files, id, TenantId.Default, cancellation);
        return FileAnswers.Content(files, file, file.Name);
    }

    /// <summary>Of a file that is gone already the same is said: a repetition must not look like a failure.</summary>
    private static async Task<IResult> DeleteAsync(string id, FileTables files, CancellationToken cancellation)
    {
        if (!FileId.TryParse(id, out var known))
            throw FileAnswers.Unknown(id);
        if (await files.RemoveAsync(TenantId.Default, known, cancellation) == FileRemoval.InUse)
            throw new GatewayException(
                HttpStatusCode.Conflict,
                "file_in_use",
                $"{id} is needed by a fine-tuning job that is not over; cancel it first."
            );
        return FileAnswers.Json(new DeletedFileInfo(id, "file", true));
    }

    private static GatewayException Wrong(string name, string rule) =>
        new(HttpStatusCode.BadRequest, "invalid_query", $"{name} {rule}.") { Param = name };
}
