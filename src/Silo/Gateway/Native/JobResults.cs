using System.Buffers;
using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary><c>GET /api/v1/jobs/{id}/results</c>: streamed from the ledger to the caller, never whole in memory.</summary>
public static class JobResults
{
    public const string ContentType = "application/x-ndjson";

    private const int FlushBytes = 32 << 10;

    public static async Task HandleAsync(
        string id,
        HttpContext context,
        ILedger ledger,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(ledger);
        var job = JobViews.ParseId(id);
        if (await ledger.FindJobAsync(job, cancellationToken) is null)
            throw JobViews.NotFound(id);
        context.Response.ContentType = ContentType;
        var body = context.Response.BodyWriter;
        await foreach (var result in ledger.ReadResultsAsync(job, cancellationToken))
        {
            await JsonSerializer.SerializeAsync(body, JobViews.Show(result), ApiJson.Options, cancellationToken);
            body.Write("\n"u8);
            if (body.UnflushedBytes > FlushBytes)
                await body.FlushAsync(cancellationToken);
        }
        await body.FlushAsync(cancellationToken);
    }
}
