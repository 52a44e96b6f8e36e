using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>The training session of a worker process, as if it were here.</summary>
internal sealed class TrainingClient(WorkerClient client, TrainInfo info) : ITrainingSession
{
    private static readonly ProtocolJson Json = ProtocolJson.Default;

    public TrainInfo Info { get; } = info;

    public async Task<TrainStep> StepAsync(TrainBatch batch, double learningRate, CancellationToken cancellationToken)
    {
        RequireCurrent();
        TrainRules.RequireRate(learningRate);
        var body = TrainBatchCodec.Encode(batch);
        var wanted = new TrainStepParams(learningRate, batch.Rows, batch.RowTokens);
        var parameters = WorkerClient.TrainParams(wanted, Json.TrainStepParams);
        return await client.TrainAsync(WorkerVerb.TrainStep, parameters, Json.TrainStep, body, cancellationToken);
    }

    public async Task<TrainEvaluation> EvaluateAsync(TrainBatch batch, CancellationToken cancellationToken)
    {
        RequireCurrent();
        var body = TrainBatchCodec.Encode(batch);
        var wanted = new TrainEvaluateParams(batch.Rows, batch.RowTokens);
        var parameters = WorkerClient.TrainParams(wanted, Json.TrainEvaluateParams);
        return await client.TrainAsync(
            WorkerVerb.TrainEvaluate,
            parameters,
            Json.TrainEvaluation,
            body,
            cancellationToken
        );
    }

    public async Task<TrainGradients> BackwardAsync(TrainBatch batch, string path, CancellationToken cancellationToken)
    {
        RequireCurrent();
        var body = TrainBatchCodec.Encode(batch);
        var wanted = new TrainBackwardParams(batch.Rows, batch.RowTokens, path);
        var parameters = WorkerClient.TrainParams(wanted, Json.TrainBackwardParams);
        return await client.TrainAsync(
            WorkerVerb.TrainBackward,
            parameters,
            Json.TrainGradients,
            body,
            cancellationToken
        );
    }

    public async Task<TrainStep> UpdateAsync(
        string path,
        long trainedTokens,
        double learningRate,
        CancellationToken cancellationToken
    )
    {
        RequireCurrent();
        TrainRules.RequireRate(learningRate);
        var wanted = new TrainUpdateParams(path, trainedTokens, learningRate);
        var parameters = WorkerClient.TrainParams(wanted, Json.TrainUpdateParams);
        return await client.TrainAsync(WorkerVerb.TrainUpdate, parameters, Json.TrainStep, default, cancellationToken);
    }

    public async Task<TrainSaved> SaveAsync(string path, bool weightsOnly, CancellationToken cancellationToken)
    {
        RequireCurrent();
        var parameters = WorkerClient.TrainParams(new TrainSaveParams(path, weightsOnly), Json.TrainSaveParams);
        return await client.TrainAsync(WorkerVerb.TrainSave, parameters, Json.TrainSaved, default, cancellationToken);
    }

    public async Task RestoreAsync(string path, CancellationToken cancellationToken)
    {
        RequireCurrent();
        var parameters = WorkerClient.TrainParams(new TrainRestoreParams(path), Json.TrainRestoreParams);
        await client.TrainAsync(WorkerVerb.TrainRestore, parameters, Json.TrainInfo, default, cancellationToken);
    }

    public async Task<IReadOnlyList<int>> ContinueAsync(
        IReadOnlyList<int> prompt,
        int maxTokens,
        IReadOnlyList<int> stops,
        CancellationToken cancellationToken
    )
    {
        RequireCurrent();
        TrainRules.RequireContinuation(prompt, maxTokens, stops, Info.Vocabulary);
        var wanted = new TrainContinueParams(maxTokens, stops);
        var continuation = await client.TrainAsync(
            WorkerVerb.TrainContinue,
            WorkerClient.TrainParams(wanted, Json.TrainContinueParams),
            Json.TrainContinuation,
            TrainBatchCodec.EncodeIds(prompt),
            cancellationToken
        );
        return continuation.Tokens;
    }

    /// <summary>A worker that is gone has no session any more, and one replaced was closed then.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!client.IsCurrent(this))
            return;
        try
        {
            await client.TrainAsync(WorkerVerb.TrainClose, null, Json.TrainClosed, default, CancellationToken.None);
        }
        catch (EngineException exception) when (exception.ErrorClass == EngineErrorClass.WorkerLost) { }
    }

    private void RequireCurrent()
    {
        if (!client.IsCurrent(this))
            throw new EngineException(EngineErrorClass.ModelNotLoaded, "Another training session was opened since.");
    }
}
