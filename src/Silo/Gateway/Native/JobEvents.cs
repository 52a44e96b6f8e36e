using System.Globalization;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>
/// <c>GET /api/v1/jobs/{id}/events</c>: the job's log as server-sent events, or one page of it as JSON for a caller that
/// accepts only that. A stream starts after <c>Last-Event-ID</c>, else at the first event.
/// </summary>
internal sealed class JobEvents(Fleet fleet, ILedger ledger, JobViews views, TimeProvider time)
{
    public async Task HandleAsync(string id, HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var job = JobViews.ParseId(id);
        var cancellationToken = context.RequestAborted;
        var snapshot = await views.RequireAsync(job, cancellationToken);
        if (WantsJson(context.Request))
        {
            var page = await PageAsync(job, context.Request, cancellationToken);
            await context.Response.WriteAsJsonAsync(page, ApiJson.Options, cancellationToken);
            return;
        }
        var after = Sequence(context.Request.Headers["Last-Event-ID"], "Last-Event-ID");
        var events = new ServerSentEvents(context.Response, ApiJson.Options);
        await events.StartAsync(cancellationToken);
        await new JobEventStream(fleet, ledger, events, time, job, after).RunAsync(snapshot, cancellationToken);
    }

    private async Task<Page<JobEventInfo>> PageAsync(
        JobId job,
        HttpRequest request,
        CancellationToken cancellationToken
    )
    {
        var page = PageQuery.Read(request);
        var after = Sequence(page.After, "after");
        var lines = await ledger.ReadEventsAsync(job, after, page.Limit + 1, cancellationToken);
        var shown = lines.Take(page.Limit).Select(JobViews.Show).ToArray();
        return Pages.Of(shown, line => line.Sequence.ToString(CultureInfo.InvariantCulture), lines.Count > page.Limit);
    }

    private static bool WantsJson(HttpRequest request)
    {
        var accept = request.Headers.Accept.ToString();
        return accept.Contains("application/json", StringComparison.OrdinalIgnoreCase)
            && !accept.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);
    }

    private static long Sequence(string? text, string name)
    {
        if (string.IsNullOrEmpty(text))
            return 0;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            ? sequence
            : throw GatewayException.BadRequest("invalid_query", $"{name} must be the sequence of an event.");
    }
}
