using System.Net;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Gateway.Checkpoints;
using EgpuFleet.Silo.Membership;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>
/// <see cref="InternalRoutes.TrainingResult"/>: the node that holds a run's lease says which checkpoint is its result, and
/// the model is served under the run's name. May be repeated: it changes nothing.
/// </summary>
internal sealed class TrainingResultRoute(
    ICheckpointStore checkpoints,
    IRoundStore rounds,
    TrainedModels models,
    NodeAuthentication nodes
)
{
    public async Task<IResult> HandleAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var node = await nodes.RequireAsync(request);
        var said = await InternalJson.ReadAsync<TrainingResult>(request, TrainingJson.Options);
        if (!JobId.TryParse(said.Job, out var job) || said.Shard < 0 || said.Epoch < 1)
            throw GatewayException.Invalid("job", "job, shard and epoch name no lease.");
        var shard = new ShardId(job, said.Shard);
        var isCurrent = await checkpoints.IsCurrentAsync(shard, said.Epoch, node, cancellationToken);
        if (!isCurrent)
            throw new GatewayException(
                HttpStatusCode.Conflict,
                "fenced",
                "The lease is not the current one of its shard."
            );
        var trained = await models.FindAsync(said.Checkpoint ?? "", cancellationToken);
        if (trained.Record.Shard != shard && !await IsEndAsync(trained, job, cancellationToken))
            throw GatewayException.Invalid("checkpoint", "it is another run's.");
        var model = await models.PublishAsync(trained, trained.Train.Result, cancellationToken);
        return Results.Json(new TrainingPublished(model.Ref.Name, model.Ref.Sha256), TrainingJson.Options);
    }

    /// <summary>Whether it is the last base of the job's rounds, which are over.</summary>
    private async Task<bool> IsEndAsync(TrainedCheckpoint trained, JobId job, CancellationToken cancellationToken) =>
        trained.Record.Shard == new ShardId(job, OuterTensors.Shard)
        && await rounds.FindAsync(job, cancellationToken) is { State.Phase: RoundPhase.Finished } run
        && run.Checkpoint == trained.Record.Id;
}
