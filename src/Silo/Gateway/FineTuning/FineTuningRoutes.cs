using EgpuFleet.Api;
using EgpuFleet.Silo.Gateway.FineTuning.Estimate;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>Fine-tuning, as any OpenAI client knows it.</summary>
public static class FineTuningRoutes
{
    public static void AddFineTuning(this IServiceCollection services)
    {
        services.AddSingleton<TrainingNoteRoute>();
        services.AddSingleton<TrainingDataCheck>();
        services.AddSingleton<FineTuningAdmission>();
        services.AddSingleton<SampleLengths>();
        services.AddSingleton<CreateFineTuning>();
        services.AddSingleton<TokenCount>();
        services.AddSingleton<MeasuredPaces>();
        services.AddSingleton<EstimateFineTuning>();
        services.AddSingleton<FineTuningReads>();
        services.AddSingleton<FineTuningSteering>();
    }

    public static void MapFineTuning(this IEndpointRouteBuilder routes)
    {
        var jobs = routes.MapGroup(Routes.FineTuning).WithTags("fine-tuning");
        jobs.MapPost("", (HttpContext context, CreateFineTuning create) => create.HandleAsync(context))
            .Produces<FineTuningJobInfo>()
            .WithSummary("Fine-tune a model");
        routes
            .MapPost(
                Routes.FineTuningEstimate,
                (HttpContext context, EstimateFineTuning estimate) => estimate.HandleAsync(context)
            )
            .WithTags("fine-tuning")
            .Produces<FineTuningEstimateInfo>()
            .WithSummary("What the same request would do and need; nothing is made of it");
        jobs.MapGet(
                "",
                (HttpRequest request, FineTuningReads reads, CancellationToken token) => reads.ListAsync(request, token)
            )
            .Produces<Page<FineTuningJobInfo>>()
            .WithSummary("Fine-tuning jobs, newest first");
        jobs.MapGet("{id}", (string id, FineTuningReads reads, CancellationToken token) => reads.GetAsync(id, token))
            .Produces<FineTuningJobInfo>()
            .WithSummary("One fine-tuning job");
        jobs.MapGet(
                "{id}/events",
                (string id, HttpRequest request, FineTuningReads reads, CancellationToken token) =>
                    reads.EventsAsync(id, request, token)
            )
            .Produces<Page<FineTuningEventInfo>>()
            .WithSummary("What happened to it, and its figures");
        jobs.MapGet(
                "{id}/checkpoints",
                (string id, HttpRequest request, FineTuningReads reads, CancellationToken token) =>
                    reads.CheckpointsAsync(id, request, token)
            )
            .Produces<Page<FineTuningCheckpointInfo>>()
            .WithSummary("Its checkpoints, newest first");
        Map("cancel", "Cancel it", (steering, id, token) => steering.CancelAsync(id, token));
        Map("pause", "Stop it; its checkpoints stay", (steering, id, token) => steering.PauseAsync(id, token));
        Map(
            "resume",
            "Let it go on from its newest checkpoint",
            (steering, id, token) => steering.ResumeAsync(id, token)
        );

        void Map(
            string verb,
            string summary,
            Func<FineTuningSteering, string, CancellationToken, Task<IResult>> steer
        ) =>
            jobs.MapPost(
                    $"{{id}}/{verb}",
                    (string id, FineTuningSteering steering, CancellationToken token) => steer(steering, id, token)
                )
                .Produces<FineTuningJobInfo>()
                .WithSummary(summary);
    }
}
