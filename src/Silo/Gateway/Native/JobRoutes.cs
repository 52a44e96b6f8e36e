using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Gateway.Native.Bulk;
using Microsoft.AspNetCore.Mvc;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>Jobs: submit, list, look at, follow, read, steer.</summary>
public static class JobRoutes
{
    public static void MapJobs(this IEndpointRouteBuilder routes)
    {
        var jobs = routes.MapGroup(Routes.Jobs).WithTags("jobs");
        jobs.MapPost("", (HttpContext context, SubmitJob submit) => submit.HandleAsync(context))
            .WithMetadata(new RequestSizeLimitAttribute(Limits.DrainedBodyBytes))
            .Accepts<JobRequest>("application/json", "multipart/form-data")
            .Produces<JobInfo>(StatusCodes.Status202Accepted)
            .WithSummary("Submit a job");
        jobs.MapGet("", ListAsync).Produces<Page<JobInfo>>().WithSummary("List jobs, newest first");
        jobs.MapGet("{id}", GetAsync).Produces<JobInfo>().WithSummary("One job");
        jobs.MapGet(
                "{id}/events",
                (string id, HttpContext context, JobEvents events) => events.HandleAsync(id, context)
            )
            .Produces<Page<JobEventInfo>>()
            .Produces<string>(contentType: "text/event-stream")
            .WithSummary("Follow a job's log");
        jobs.MapGet("{id}/results", JobResults.HandleAsync)
            .Produces<ResultLine>(contentType: JobResults.ContentType)
            .WithSummary("Results so far, by item, one JSON value a line");
        jobs.MapGet("{id}/why", (string id, JobReasons reasons, CancellationToken token) => reasons.WhyAsync(id, token))
            .Produces<WhyInfo>()
            .WithSummary("What keeps a job from running");
        MapSteering(jobs);
        routes
            .MapPost(Routes.JobsBulk, (HttpContext context, BulkSubmit submit) => submit.HandleAsync(context))
            .WithTags("jobs")
            .WithMetadata(new RequestSizeLimitAttribute(Limits.DrainedBodyBytes))
            .Accepts<JobRequest>(JobResults.ContentType)
            .Produces<BulkOutcome>(contentType: JobResults.ContentType)
            .WithSummary("Submit many jobs, one a line; one outcome a line");
    }

    private static void MapSteering(RouteGroupBuilder jobs)
    {
        Map("cancel", "Cancel a job", JobSteerings.CancelAsync);
        Map("hold", "Keep a job that has not started from starting", Steer(JobSteering.Hold));
        Map("release", "Let a held job go on", Steer(JobSteering.Release));
        Map("pause", "Stop a running job; its results stay", Steer(JobSteering.Pause));
        Map("resume", "Let a paused job go on", Steer(JobSteering.Resume));

        void Map(string verb, string summary, Func<string, Fleet, CancellationToken, Task<JobInfo>> steer) =>
            jobs.MapPost($"{{id}}/{verb}", (string id, Fleet fleet, CancellationToken token) => steer(id, fleet, token))
                .Produces<JobInfo>()
                .ProducesProblem(StatusCodes.Status409Conflict)
                .WithSummary(summary);

        static Func<string, Fleet, CancellationToken, Task<JobInfo>> Steer(JobSteering steering) =>
            (id, fleet, token) => JobSteerings.SteerAsync(id, steering, fleet, token);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        ILedger ledger,
        JobViews views,
        CancellationToken cancellationToken
    )
    {
        var page = PageQuery.Read(context.Request);
        var request = new JobPageRequest(
            TenantId.Default,
            StateOf(context.Request.Query["state"]),
            page.After is null ? null : AfterOf(page.After),
            page.Limit + 1,
            page.OldestFirst
        );
        var records = await ledger.ListJobsAsync(request, cancellationToken);
        var shown = await views.ShowAsync([.. records.Take(page.Limit)]);
        return Results.Ok(Pages.Of(shown, job => job.Id, records.Count > page.Limit));
    }

    private static Task<JobInfo> GetAsync(string id, JobViews views, CancellationToken cancellationToken) =>
        views.RequireAsync(JobViews.ParseId(id), cancellationToken);

    private static JobId AfterOf(string text) =>
        JobId.TryParse(text, out var id)
            ? id
            : throw GatewayException.BadRequest("invalid_query", "after must be the id of a job.");

    private static JobState? StateOf(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        foreach (var state in Enum.GetValues<JobState>())
        {
            if (JobViews.Word(state) == text)
                return state;
        }
        var words = string.Join(", ", Enum.GetValues<JobState>().Select(JobViews.Word));
        throw GatewayException.BadRequest("invalid_query", $"state must be one of {words}.");
    }
}
