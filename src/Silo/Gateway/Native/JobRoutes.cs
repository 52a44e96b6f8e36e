using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using Microsoft.AspNetCore.Mvc;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>Jobs: submit, list, look at, follow, read, cancel.</summary>
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
        jobs.MapPost("{id}/cancel", CancelAsync).Produces<JobInfo>().WithSummary("Cancel a job");
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

    private static async Task<JobInfo> CancelAsync(string id, Fleet fleet) =>
        JobViews.Show(await fleet.Pool.Cancel(JobViews.ParseId(id)) ?? throw JobViews.NotFound(id));

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
