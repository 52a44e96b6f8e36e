using System.Net;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Silo.Postgres.Files;

namespace EgpuFleet.Silo.Gateway.OpenAi.Files;

/// <summary><c>POST /v1/files</c>: the parts of the form in any order, the file straight into the database as it arrives.</summary>
public sealed class FileUpload(FileTables files, TimeProvider time) : IDisposable
{
    private static readonly string[] Purposes = ["fine-tune", "batch"];

    private readonly SemaphoreSlim uploads = new(Limits.ConcurrentFileUploads);

    public async Task<IResult> HandleAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var form = UploadForm.Open(context.Request);
        await uploads.WaitAsync(context.RequestAborted);
        try
        {
            return FileAnswers.Json(FileAnswers.Show(await ReceiveAsync(form, context.RequestAborted)));
        }
        catch (FilesFullException e)
        {
            throw new GatewayException(HttpStatusCode.Forbidden, "insufficient_quota", e.Message) { Param = "file" };
        }
        finally
        {
            uploads.Release();
        }
    }

    public void Dispose() => uploads.Dispose();

    private async Task<StoredFile> ReceiveAsync(UploadForm form, CancellationToken cancellationToken)
    {
        string? purpose = null;
        string? name = null;
        IncomingFile? incoming = null;
        try
        {
            while (await form.NextAsync(cancellationToken) is { } part)
            {
                if (part.Name == "purpose")
                {
                    purpose = Known(await part.ReadTextAsync(cancellationToken));
                }
                else if (part.Name != "file")
                {
                    // Such as expires_after: nothing expires here.
                    await part.ReadTextAsync(cancellationToken);
                }
                else
                {
                    if (incoming is not null)
                        throw Wrong("file", "is given twice");
                    name = part.RequireFileName();
                    incoming = await files.ReceiveAsync(TenantId.Default, NewId(), cancellationToken);
                    await incoming.WriteAsync(part.Content(), cancellationToken);
                }
            }
            if (purpose is null)
                throw Wrong("purpose", "is missing");
            if (incoming is null || name is null)
                throw Wrong("file", "is missing");
            if (incoming.SizeBytes == 0)
                throw Wrong("file", "is empty");
            return await incoming.KeepAsync(name, purpose, cancellationToken);
        }
        finally
        {
            if (incoming is not null)
                await incoming.DisposeAsync();
        }
    }

    private FileId NewId() => new(Guid.CreateVersion7(time.GetUtcNow()));

    private static string Known(string purpose) =>
        Purposes.Contains(purpose, StringComparer.Ordinal)
            ? purpose
            : throw Wrong("purpose", $"must be {string.Join(" or ", Purposes)}");

    private static GatewayException Wrong(string part, string what) => UploadForm.Wrong(part, what);
}
