using System.Net;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Gateway.FineTuning;

namespace EgpuFleet.Silo.Gateway.Checkpoints;

/// <summary>What the store says, as answers; and ids out of paths.</summary>
internal static class CheckpointAnswers
{
    /// <exception cref="GatewayException">The step was refused.</exception>
    public static T Require<T>(CheckpointOutcome<T> outcome) =>
        outcome.Refusal switch
        {
            null => outcome.Value!,
            CheckpointRefusal.Fenced => throw new GatewayException(HttpStatusCode.Conflict, "fenced", outcome.Detail),
            CheckpointRefusal.NotOpen => throw new GatewayException(
                HttpStatusCode.Gone,
                "checkpoint_not_open",
                outcome.Detail
            ),
            CheckpointRefusal.TooMany => throw GatewayException.TooLarge(outcome.Detail),
            CheckpointRefusal.Incomplete => throw new GatewayException(
                HttpStatusCode.Conflict,
                "chunks_missing",
                outcome.Detail
            ),
            CheckpointRefusal.Unannounced => throw new GatewayException(
                HttpStatusCode.UnprocessableEntity,
                "chunk_not_announced",
                outcome.Detail
            ),
            _ => throw new GatewayException(HttpStatusCode.UnprocessableEntity, "invalid_checkpoint", outcome.Detail),
        };

    /// <param name="text">As this API or the one of fine-tuning names it.</param>
    public static CheckpointId Id(string text) => FineTuningIds.Checkpoint(text) ?? throw Unknown(text);

    public static GatewayException Unknown(string id) => GatewayException.NotFound($"No checkpoint is called {id}.");

    public static JobId Job(string? text) =>
        JobId.TryParse(text, out var id) ? id : throw GatewayException.Invalid("job", "it is not the id of a job.");

    public static CheckpointPart Part(CheckpointRecord record) =>
        new(record.Id.ToString(), record.Step, record.Parent?.ToString(), record.SizeBytes, record.Metrics);

    public static IResult Json<T>(T value, int status = StatusCodes.Status200OK) =>
        Results.Json(value, CheckpointJson.Options, statusCode: status);
}
