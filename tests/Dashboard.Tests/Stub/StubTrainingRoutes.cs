using EgpuFleet.Api;

namespace EgpuFleet.Dashboard.Tests.Stub;

/// <summary>STUB of the routes of fine-tuning and checkpoints over a <see cref="StubFleet"/>.</summary>
public static class StubTrainingRoutes
{
    public static void MapStubTraining(this WebApplication app, StubFleet fleet)
    {
        app.MapGet(Routes.FineTuning + "/{id}", (string id) => With(fleet, id, one => one.Info));
        app.MapGet(
            Routes.FineTuning + "/{id}/events",
            (string id, string? after, int limit) => With(fleet, id, one => one.Read(after, limit))
        );
        app.MapPost(Routes.FineTuning + "/{id}/{verb}", (string id, string verb) => Steer(fleet, id, verb));
        app.MapGet(
            Routes.Checkpoints,
            (string? job) =>
                Json(
                    StubRoutes.PageOf(
                        fleet.Trainings.FirstOrDefault(one => one.Info.Egpufleet.Job == job)?.Checkpoints ?? []
                    )
                )
        );
        app.MapPost(Routes.Checkpoints + "/{id}/verify", (string id) => Verify(fleet, id));
        app.MapPost(Routes.Checkpoints + "/{id}/serve", (string id) => Serve(fleet, id));
    }

    private static IResult Steer(StubFleet fleet, string id, string verb) =>
        With(
            fleet,
            id,
            one =>
            {
                var phase = verb switch
                {
                    "pause" => "paused",
                    "resume" => "running",
                    _ => "cancelled",
                };
                one.Info = one.Info with
                {
                    Status = phase == "paused" ? "queued" : phase,
                    Egpufleet = one.Info.Egpufleet with { Phase = phase },
                };
                return one.Info;
            }
        );

    /// <summary>Every second checkpoint of the stub is damaged.</summary>
    private static IResult Verify(StubFleet fleet, string id)
    {
        var (one, found) = Find(fleet, id);
        var isIntact = found.Number % 2 == 0;
        var next = found with { State = isIntact ? "complete" : "damaged" };
        one.Checkpoints = [.. one.Checkpoints.Select(other => other.Id == id ? next : other)];
        return Json(new CheckpointVerdictInfo(next, isIntact, 252, isIntact ? 0 : 1, []));
    }

    private static IResult Serve(StubFleet fleet, string id)
    {
        var (one, found) = Find(fleet, id);
        var model = Samples.Model($"{one.Info.Egpufleet.Result}:ckpt-step-{found.Step}");
        fleet.Models = [.. fleet.Models, model];
        return Json(model);
    }

    private static (StubTraining Training, CheckpointInfo Checkpoint) Find(StubFleet fleet, string id)
    {
        var one = fleet.Trainings.Single(training => training.Checkpoints.Any(checkpoint => checkpoint.Id == id));
        return (one, one.Checkpoints.Single(checkpoint => checkpoint.Id == id));
    }

    private static IResult With<T>(StubFleet fleet, string id, Func<StubTraining, T> answer) =>
        fleet.Trainings.FirstOrDefault(one => one.Info.Id == id) is { } found
            ? Json(answer(found))
            : Results.Json(
                new { error = new { message = $"Could not find fine tune: {id}", type = "invalid_request_error" } },
                statusCode: 404
            );

    private static IResult Json<T>(T value) => Results.Json(value, ApiJson.Options);
}
