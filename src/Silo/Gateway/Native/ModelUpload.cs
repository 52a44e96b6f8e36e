using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>
/// <c>PUT /api/v1/models/{name}</c>: the file is received, hashed and read as hostile before anything knows of it. 201
/// when the name is new or has new content, 200 when it has that content already.
/// </summary>
public sealed class ModelUpload(Fleet fleet, ModelStore store, ModelReading reading) : IDisposable
{
    /// <summary>ENOSPC on Linux and macOS.</summary>
    private const int NoSpace = 28;

    private readonly SemaphoreSlim uploads = new(Limits.ConcurrentUploads);

    public async Task<IResult> HandleAsync(string name, HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (!ModelNames.IsValid(name))
            throw GatewayException.Invalid("name", ModelNames.Rule);
        await uploads.WaitAsync(context.RequestAborted);
        try
        {
            var model = await ReceiveAsync(name, context.Request, context.RequestAborted);
            if (await fleet.Models.Find(name) is { } known && known.Ref == model.Ref)
                return Results.Ok(FleetViews.Show(known));
            await fleet.Models.Add(model);
            return Results.Created(Routes.Model(name), FleetViews.Show(model));
        }
        catch (IOException e) when (IsDiskFull(e))
        {
            throw DiskFull();
        }
        finally
        {
            uploads.Release();
        }
    }

    public void Dispose() => uploads.Dispose();

    private async Task<ModelRecord> ReceiveAsync(string name, HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > store.FreeBytes() - Limits.DiskReserveBytes)
            throw DiskFull();
        await using var incoming = store.Receive();
        await incoming.ReceiveAsync(request.Body, cancellationToken);
        var record = await reading.ReadAsync(name, incoming.File);
        return record with { Ref = record.Ref with { Sha256 = incoming.Keep() } };
    }

    internal static bool IsDiskFull(IOException e) => (e.HResult & 0xffff) == NoSpace;

    internal static GatewayException DiskFull() =>
        new(HttpStatusCode.InsufficientStorage, "disk_full", "The disk of the models is full; free some space on it.");
}
