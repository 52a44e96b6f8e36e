using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>
/// The one training session of a worker. It outlives connections, until another is opened; its calls take turns, whoever makes
/// them. Everything a client says is checked here, so that engines see only what can be meant.
/// </summary>
internal sealed class WorkerTraining(IKernelEngine engine) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);
    private ITrainingSession? session;
    private TrainSpec? opened;
    private int calls;

    /// <summary>Whether a call runs or waits.</summary>
    public bool IsBusy => Volatile.Read(ref calls) > 0;

    public Task<TrainEstimate> EstimateAsync(TrainSpec spec, CancellationToken cancellationToken)
    {
        RequireAble();
        TrainRules.Check(spec);
        return engine.EstimateTrainingAsync(spec, cancellationToken);
    }

    /// <summary>The session before is closed first: two would not fit.</summary>
    public Task<TrainInfo> OpenAsync(TrainSpec spec, CancellationToken cancellationToken)
    {
        RequireAble();
        TrainRules.Check(spec);
        return InTurnAsync(
            async () =>
            {
                await CloseCurrentAsync();
                session = await engine.OpenTrainingAsync(spec, cancellationToken);
                opened = spec;
                return session.Info;
            },
            cancellationToken
        );
    }

    public Task<TrainStep> StepAsync(TrainBatch batch, double learningRate, CancellationToken cancellationToken)
    {
        TrainRules.RequireRate(learningRate);
        return InTurnAsync(() => Fitting(batch).StepAsync(batch, learningRate, cancellationToken), cancellationToken);
    }

    public Task<TrainEvaluation> EvaluateAsync(TrainBatch batch, CancellationToken cancellationToken) =>
        InTurnAsync(() => Fitting(batch).EvaluateAsync(batch, cancellationToken), cancellationToken);

    public Task<TrainGradients> BackwardAsync(TrainBatch batch, string path, CancellationToken cancellationToken)
    {
        TrainRules.RequirePath(path);
        return InTurnAsync(() => Fitting(batch).BackwardAsync(batch, path, cancellationToken), cancellationToken);
    }

    public Task<TrainStep> UpdateAsync(TrainUpdateParams wanted, CancellationToken cancellationToken)
    {
        TrainRules.RequirePath(wanted.Path);
        TrainRules.RequireRate(wanted.LearningRate);
        if (wanted.TrainedTokens < 1)
            throw Invalid($"trained_tokens {wanted.TrainedTokens} is less than 1.");
        return InTurnAsync(
            () => Current().UpdateAsync(wanted.Path, wanted.TrainedTokens, wanted.LearningRate, cancellationToken),
            cancellationToken
        );
    }

    public Task<TrainSaved> SaveAsync(string path, bool weightsOnly, CancellationToken cancellationToken)
    {
        TrainRules.RequirePath(path);
        return InTurnAsync(() => Current().SaveAsync(path, weightsOnly, cancellationToken), cancellationToken);
    }

    public Task<TrainInfo> RestoreAsync(string path, CancellationToken cancellationToken)
    {
        TrainRules.RequirePath(path);
        return InTurnAsync(
            async () =>
            {
                await Current().RestoreAsync(path, cancellationToken);
                return Current().Info;
            },
            cancellationToken
        );
    }

    public Task<TrainContinuation> ContinueAsync(
        int[] prompt,
        TrainContinueParams wanted,
        CancellationToken cancellationToken
    ) =>
        InTurnAsync(
            async () =>
            {
                var current = Current();
                TrainRules.RequireContinuation(prompt, wanted.MaxTokens, wanted.Stops, current.Info.Vocabulary);
                return new TrainContinuation(
                    await current.ContinueAsync(prompt, wanted.MaxTokens, wanted.Stops, cancellationToken)
                );
            },
            cancellationToken
        );

    public Task<TrainClosed> CloseAsync(CancellationToken cancellationToken) =>
        InTurnAsync(
            async () =>
            {
                var wasOpen = session is not null;
                await CloseCurrentAsync();
                return new TrainClosed(wasOpen);
            },
            cancellationToken
        );

    public void Dispose() => turn.Dispose();

    private async Task<T> InTurnAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            if (Interlocked.Increment(ref calls) > Limits.TrainCalls)
                throw new EngineException(EngineErrorClass.QueueFull, "Too many calls of one training session.");
            await turn.WaitAsync(cancellationToken);
            try
            {
                return await work();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new EngineException(EngineErrorClass.FileFailed, exception.Message, innerException: exception);
            }
            finally
            {
                turn.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref calls);
        }
    }

    private async Task CloseCurrentAsync()
    {
        if (session is not { } current)
            return;
        session = null;
        await current.DisposeAsync();
    }

    private ITrainingSession Fitting(TrainBatch batch)
    {
        var current = Current();
        batch.Require(opened!.RowTokens, current.Info.Vocabulary);
        return current;
    }

    private ITrainingSession Current() =>
        session
        ?? throw new EngineException(EngineErrorClass.ModelNotLoaded, "No training session is open in this worker.");

    private void RequireAble()
    {
        if (!engine.Identity.Capabilities.HasFlag(EngineCapabilities.Train))
            throw Invalid($"{engine.Identity.Name} does not train.");
    }

    private static EngineException Invalid(string text) => new(EngineErrorClass.InvalidRequest, text);
}
