using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Dashboard.Tests.Stub;

/// <summary>STUB of the public API's routes over a <see cref="StubFleet"/>.</summary>
public static class StubRoutes
{
    public static void MapStubApi(this WebApplication app, StubFleet fleet)
    {
        app.Use(
            (context, next) =>
                fleet.Broken is { } problem && context.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal)
                    ? Problem(problem).ExecuteAsync(context)
                    : next()
        );
        app.MapStubTraining(fleet);
        app.MapGet(Api.Routes.Nodes, () => Json(PageOf(fleet.Nodes)));
        app.MapGet(Api.Routes.Devices, () => Json(PageOf(fleet.Devices)));
        app.MapPost(
            Api.Routes.Devices + "/{node}/{device}/{verb}",
            (string node, string device, string verb) => Order(fleet, $"{node}/{device}", verb)
        );
        app.MapGet(Api.Routes.Models, () => Json(PageOf(fleet.Models)));
        app.MapGet(
            Api.Routes.Jobs,
            (string? state, string? after, int limit) => Json(List(fleet, state, after, limit))
        );
        app.MapGet(Api.Routes.Jobs + "/{id}", (string id) => fleet.Find(id) is { } job ? Json(job.Info) : NoJob(id));
        app.MapPost(Api.Routes.Jobs + "/{id}/cancel", (string id) => Cancel(fleet, id));
        app.MapPost(Api.Routes.Jobs + "/{id}/pause", (string id) => Move(fleet, id, "paused"));
        app.MapPost(Api.Routes.Jobs + "/{id}/resume", (string id) => Move(fleet, id, "running"));
        app.MapGet(
            Api.Routes.Jobs + "/{id}/events",
            (string id, HttpContext context) => EventsAsync(fleet, id, context)
        );
        app.MapGet(
            Api.Routes.Jobs + "/{id}/results",
            (string id, HttpContext context) => ResultsAsync(fleet, id, context)
        );
    }

    private static Page<JobInfo> List(StubFleet fleet, string? state, string? after, int limit)
    {
        var jobs = fleet.Jobs.Select(job => job.Info).Where(job => state is null || job.State == state);
        if (after is not null)
            jobs = jobs.SkipWhile(job => job.Id != after).Skip(1);
        var page = jobs.Take(limit + 1).ToList();
        var data = page.Take(limit).ToList();
        return new Page<JobInfo>("list", data, data.FirstOrDefault()?.Id, data.LastOrDefault()?.Id, page.Count > limit);
    }

    private static IResult Move(StubFleet fleet, string id, string state)
    {
        if (fleet.Find(id) is not { } job)
            return NoJob(id);
        job.Change(job.Info with { State = state });
        return Json(job.Info);
    }

    /// <summary>A device gives its work back before it is ejected; a test plays the rest.</summary>
    private static IResult Order(StubFleet fleet, string id, string verb)
    {
        var device = fleet.Devices.Single(device => device.Id == id);
        if (device.State == "offline")
            return Problem(new ProblemInfo(null, "Conflict", 409, "It is not there.", null, null));
        var next = device with { State = verb == "eject" ? "draining" : "starting", Reason = null };
        fleet.Devices = [.. fleet.Devices.Select(other => other.Id == id ? next : other)];
        return Json(next);
    }

    private static IResult Cancel(StubFleet fleet, string id)
    {
        if (fleet.Find(id) is not { } job)
            return NoJob(id);
        job.Change(
            job.Info with
            {
                State = "cancelled",
                FinishedAt = TimeProvider.System.GetUtcNow(),
                Failure = "Cancelled on request.",
            }
        );
        return Json(job.Info);
    }

    private static async Task EventsAsync(StubFleet fleet, string id, HttpContext context)
    {
        if (fleet.Find(id) is not { } job)
        {
            await NoJob(id).ExecuteAsync(context);
            return;
        }
        context.Response.ContentType = "text/event-stream";
        _ = long.TryParse(context.Request.Headers["Last-Event-ID"].FirstOrDefault(), out var after);
        var type = "snapshot";
        try
        {
            await foreach (var update in job.Follow(after).ReadAllAsync(context.RequestAborted))
            {
                var frame = update.Event is { } line
                    ? $"event: event\nid: {line.Sequence}\ndata: {JsonSerializer.Serialize(line, ApiJson.Options)}\n\n"
                    : $"event: {type}\ndata: {JsonSerializer.Serialize(update.Job, ApiJson.Options)}\n\n";
                type = update.Event is null ? "progress" : type;
                await context.Response.WriteAsync(frame, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
        catch (IOException)
        {
            context.Abort();
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // the viewer left
        }
    }

    private static async Task ResultsAsync(StubFleet fleet, string id, HttpContext context)
    {
        if (fleet.Find(id) is not { } job)
        {
            await NoJob(id).ExecuteAsync(context);
            return;
        }
        context.Response.ContentType = "application/x-ndjson";
        foreach (var line in job.Results)
            await context.Response.WriteAsync(
                JsonSerializer.Serialize(line, ApiJson.Options) + "\n",
                context.RequestAborted
            );
    }

    public static Page<T> PageOf<T>(IReadOnlyList<T> data) => new("list", data, null, null, false);

    private static IResult NoJob(string id) =>
        Problem(new ProblemInfo("about:blank", "Not found", 404, $"There is no job {id}.", null, null));

    private static IResult Json<T>(T value) => Results.Json(value, ApiJson.Options);

    private static IResult Problem(ProblemInfo problem) =>
        Results.Json(problem, ApiJson.Options, "application/problem+json", problem.Status);
}
