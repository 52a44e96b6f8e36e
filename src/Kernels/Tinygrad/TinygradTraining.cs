using System.Text.Json.Serialization.Metadata;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tinygrad.Child;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Tinygrad;

/// <summary>The training session of the child: what it is asked is what this side was asked.</summary>
internal sealed class TinygradTraining(PythonChild child, TrainInfo info) : ITrainingSession
{
    private static readonly ChildJson Json = ChildJson.Default;

    public TrainInfo Info => info;

    public static async Task<TrainEstimate> EstimateAsync(
        PythonChild child,
        TrainSpec spec,
        CancellationToken cancellationToken
    ) => await AskAsync(child, "train_estimate", spec, Json.TrainSpec, default, Json.TrainEstimate, cancellationToken);

    public static async Task<TinygradTraining> OpenAsync(
        PythonChild child,
        TrainSpec spec,
        CancellationToken cancellationToken
    ) =>
        new(
            child,
            await AskAsync(child, "train_open", spec, Json.TrainSpec, default, Json.TrainInfo, cancellationToken)
        );

    public Task<TrainStep> StepAsync(TrainBatch batch, double learningRate, CancellationToken cancellationToken) =>
        AskAsync(
            "train_step",
            new TrainStepParams(learningRate, batch.Rows, batch.RowTokens),
            Json.TrainStepParams,
            TrainBatchCodec.Encode(batch),
            Json.TrainStep,
            cancellationToken
        );

    public Task<TrainEvaluation> EvaluateAsync(TrainBatch batch, CancellationToken cancellationToken) =>
        AskAsync(
            "train_evaluate",
            new TrainEvaluateParams(batch.Rows, batch.RowTokens),
            Json.TrainEvaluateParams,
            TrainBatchCodec.Encode(batch),
            Json.TrainEvaluation,
            cancellationToken
        );

    public Task<TrainGradients> BackwardAsync(TrainBatch batch, string path, CancellationToken cancellationToken) =>
        AskAsync(
            "train_backward",
            new TrainBackwardParams(batch.Rows, batch.RowTokens, path),
            Json.TrainBackwardParams,
            TrainBatchCodec.Encode(batch),
            Json.TrainGradients,
            cancellationToken
        );

    public Task<TrainStep> UpdateAsync(
        string path,
        long trainedTokens,
        double learningRate,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            "train_update",
            new TrainUpdateParams(path, trainedTokens, learningRate),
            Json.TrainUpdateParams,
            default,
            Json.TrainStep,
            cancellationToken
        );

    public Task<TrainSaved> SaveAsync(string path, bool weightsOnly, CancellationToken cancellationToken) =>
        AskAsync(
            "train_save",
            new TrainSaveParams(path, weightsOnly),
            Json.TrainSaveParams,
            default,
            Json.TrainSaved,
            cancellationToken
        );

    public Task RestoreAsync(string path, CancellationToken cancellationToken) =>
        AskAsync(
            "train_restore",
            new TrainRestoreParams(path),
            Json.TrainRestoreParams,
            default,
            Json.TrainInfo,
            cancellationToken
        );

    public async Task<IReadOnlyList<int>> ContinueAsync(
        IReadOnlyList<int> prompt,
        int maxTokens,
        IReadOnlyList<int> stops,
        CancellationToken cancellationToken
    )
    {
        var continuation = await AskAsync(
            "train_continue",
            new TrainContinueParams(maxTokens, stops),
            Json.TrainContinueParams,
            PythonChild.Body([.. prompt]),
            Json.TrainContinuation,
            cancellationToken
        );
        return continuation.Tokens;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await child.AskAsync("train_close", Json.ChildUnloaded, CancellationToken.None);
        }
        catch (EngineException gone) when (gone.ErrorClass == EngineErrorClass.WorkerLost)
        {
            // Its memory went with it.
        }
    }

    private Task<TResult> AskAsync<TParams, TResult>(
        string verb,
        TParams parameters,
        JsonTypeInfo<TParams> parametersType,
        ReadOnlyMemory<byte> body,
        JsonTypeInfo<TResult> resultType,
        CancellationToken cancellationToken
    )
        where TResult : class => AskAsync(child, verb, parameters, parametersType, body, resultType, cancellationToken);

    /// <summary>A cancel is passed on, and its answer waited for: only then is it known what the session has seen.</summary>
    private static async Task<TResult> AskAsync<TParams, TResult>(
        PythonChild child,
        string verb,
        TParams parameters,
        JsonTypeInfo<TParams> parametersType,
        ReadOnlyMemory<byte> body,
        JsonTypeInfo<TResult> resultType,
        CancellationToken cancellationToken
    )
        where TResult : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        var call = await child.BeginAsync(verb, parameters, parametersType, body, CancellationToken.None);
        await using var cancelling = cancellationToken.Register(() => _ = child.CancelAsync(call));
        return ProtocolJson.Read(await call.Result, resultType);
    }
}
