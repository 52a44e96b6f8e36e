using Microsoft.Net.Http.Headers;

namespace EgpuFleet.Silo.Gateway.Native.Bulk;

/// <summary><c>POST /api/v1/jobs:bulk</c>: a job a line, an outcome a line, streamed both ways.</summary>
internal sealed class BulkSubmit(Fleet fleet, ModelLookup models, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim places = new(Limits.ConcurrentBulks);

    public async Task HandleAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var request = context.Request;
        var key = IdempotencyHeader.Read(request);
        if (!IsLines(request.ContentType))
            throw new GatewayException(
                System.Net.HttpStatusCode.UnsupportedMediaType,
                "unsupported_media_type",
                $"Send {JobResults.ContentType}: a job as JSON on each line."
            );
        if (request.ContentLength > Limits.JobBodyBytes)
            throw GatewayException.TooLarge($"The input is larger than {Limits.JobBodyBytes >> 20} MiB.");
        if (!await places.WaitAsync(TimeSpan.Zero, context.RequestAborted))
            throw GatewayException.Unavailable(
                "too_many_bulk_submits",
                $"{Limits.ConcurrentBulks} bulk submits are under way; come back later."
            );
        try
        {
            await using var input = new BoundedStream(request.Body, Limits.JobBodyBytes);
            var run = new BulkRun(
                new BulkParser(new JobDrafts(models, time), key, time),
                new BulkSettler(fleet, key is not null, time),
                new BulkAnswer(context.Response)
            );
            await run.RunAsync(input, context.RequestAborted);
        }
        finally
        {
            places.Release();
        }
    }

    public void Dispose() => places.Dispose();

    private static bool IsLines(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Equals(JobResults.ContentType, StringComparison.OrdinalIgnoreCase);
}
