using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Training;

/// <summary>
/// A model being trained. Calls come one after another. On one processor thread every result is the same bit for bit
/// whenever state and calls are: a session restored from its saved state goes on as if nothing had been.
/// </summary>
/// <remarks>
/// A state is a file of safetensors: what is trained under <see cref="TrainedTensor.Name"/>, the moments of AdamW as
/// <c>adam.m.NAME</c> and <c>adam.v.NAME</c>, all F32; its metadata has <c>format</c> = <c>egpufleet-train-1</c>,
/// <c>step</c>, <c>base_sha256</c> and <c>method</c>. A failure leaves the session as it was, except
/// <see cref="EngineErrorClass.NotFinite"/> where it says otherwise.
/// </remarks>
public interface ITrainingSession : IAsyncDisposable
{
    TrainInfo Info { get; }

    /// <summary>One step of the optimizer over a batch.</summary>
    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.NotFinite"/>: the loss or a gradient is no number; nothing was changed.
    /// <see cref="EngineErrorClass.OutOfMemory"/>, <see cref="EngineErrorClass.InvalidRequest"/>.
    /// </exception>
    Task<TrainStep> StepAsync(TrainBatch batch, double learningRate, CancellationToken cancellationToken);

    Task<TrainEvaluation> EvaluateAsync(TrainBatch batch, CancellationToken cancellationToken);

    /// <summary>The first half of a step: gradients of a batch, written to a file under the names of what is trained.</summary>
    Task<TrainGradients> BackwardAsync(TrainBatch batch, string path, CancellationToken cancellationToken);

    /// <summary>The second half: a step of the optimizer from a file of summed gradients, made means by the token count.</summary>
    Task<TrainStep> UpdateAsync(
        string path,
        long trainedTokens,
        double learningRate,
        CancellationToken cancellationToken
    );

    /// <summary>Writes the state to a new file; what is there already is replaced when the new one is whole.</summary>
    /// <param name="weightsOnly">Leaves the moments out.</param>
    Task<TrainSaved> SaveAsync(string path, bool weightsOnly, CancellationToken cancellationToken);

    /// <summary>
    /// Takes a state. It must hold every trained tensor in its shape, and no other; moments may be left out, all of them,
    /// and then stay as they are. The step is that of the file where it names one.
    /// </summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: not a state of this session.</exception>
    Task RestoreAsync(string path, CancellationToken cancellationToken);

    /// <summary>The most likely continuation of a prompt: for looking at a model, not for serving it.</summary>
    /// <param name="stops">Tokens that end it; they are not in the answer.</param>
    Task<IReadOnlyList<int>> ContinueAsync(
        IReadOnlyList<int> prompt,
        int maxTokens,
        IReadOnlyList<int> stops,
        CancellationToken cancellationToken
    );
}
