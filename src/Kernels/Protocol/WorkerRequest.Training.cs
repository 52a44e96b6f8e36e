using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Protocol;

internal sealed partial class WorkerRequest
{
    /// <param name="cancelled">Fires on a cancel and when the client is gone: nobody waits for the work any more.</param>
    private async Task<ResponseHeader> TrainAsync(CancellationToken cancelled)
    {
        var training = await engine.TrainingAsync();
        var json = ProtocolJson.Default;
        switch (header.Verb)
        {
            case WorkerVerb.TrainEstimate:
                var estimated = await training.EstimateAsync(Read(json.TrainSpec), cancelled);
                return Result(header.Id, estimated, json.TrainEstimate);
            case WorkerVerb.TrainOpen:
                return Result(header.Id, await training.OpenAsync(Read(json.TrainSpec), cancelled), json.TrainInfo);
            case WorkerVerb.TrainStep:
                var step = Read(json.TrainStepParams);
                var stepped = await training.StepAsync(Batch(step.Rows, step.RowTokens), step.LearningRate, cancelled);
                return Result(header.Id, stepped, json.TrainStep);
            case WorkerVerb.TrainEvaluate:
                var evaluate = Read(json.TrainEvaluateParams);
                var evaluated = await training.EvaluateAsync(Batch(evaluate.Rows, evaluate.RowTokens), cancelled);
                return Result(header.Id, evaluated, json.TrainEvaluation);
            case WorkerVerb.TrainBackward:
                var back = Read(json.TrainBackwardParams);
                var gradients = await training.BackwardAsync(Batch(back.Rows, back.RowTokens), back.Path, cancelled);
                return Result(header.Id, gradients, json.TrainGradients);
            case WorkerVerb.TrainUpdate:
                var updated = await training.UpdateAsync(Read(json.TrainUpdateParams), cancelled);
                return Result(header.Id, updated, json.TrainStep);
            default:
                return await TrainStateAsync(training, cancelled);
        }
    }

    private async Task<ResponseHeader> TrainStateAsync(WorkerTraining training, CancellationToken cancelled)
    {
        var json = ProtocolJson.Default;
        switch (header.Verb)
        {
            case WorkerVerb.TrainSave:
                var save = Read(json.TrainSaveParams);
                var saved = await training.SaveAsync(save.Path, save.WeightsOnly, cancelled);
                return Result(header.Id, saved, json.TrainSaved);
            case WorkerVerb.TrainRestore:
                var restored = await training.RestoreAsync(Read(json.TrainRestoreParams).Path, cancelled);
                return Result(header.Id, restored, json.TrainInfo);
            case WorkerVerb.TrainContinue:
                var wanted = Read(json.TrainContinueParams);
                var continued = await training.ContinueAsync(TrainBatchCodec.Ids(body.Span), wanted, cancelled);
                return Result(header.Id, continued, json.TrainContinuation);
            default:
                return Result(header.Id, await training.CloseAsync(cancelled), json.TrainClosed);
        }
    }

    private T Read<T>(System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class => ProtocolJson.Read(header.Params, type);

    private TrainBatch Batch(int rows, int rowTokens) => TrainBatchCodec.Decode(rows, rowTokens, body.Span);
}
