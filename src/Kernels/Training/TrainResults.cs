namespace EgpuFleet.Kernels.Training;

/// <summary>One trained tensor: row-major 32-bit floats.</summary>
/// <param name="Name">
/// Of an adapter the GGUF name with <c>.lora_a</c> [rank, inputs] or <c>.lora_b</c> [outputs, rank] in place of
/// <c>.weight</c>; otherwise the GGUF name.
/// </param>
public sealed record TrainedTensor(string Name, IReadOnlyList<long> Shape);

/// <summary>What an opened session is.</summary>
/// <param name="TrainedParameters">Floats that change.</param>
/// <param name="BaseParameters">Weights of the base model.</param>
/// <param name="Estimate">Memory, before anything was loaded.</param>
/// <param name="Tensors">What is trained, in the order of the file.</param>
public sealed record TrainInfo(
    string ContentHash,
    string Architecture,
    int Vocabulary,
    int ContextTokens,
    long TrainedParameters,
    long BaseParameters,
    TrainEstimate Estimate,
    IReadOnlyList<TrainedTensor> Tensors
);

/// <summary>Memory that a session needs, in bytes; the parts add up to the whole.</summary>
/// <param name="AvailableBytes">What the device has for it now.</param>
public sealed record TrainEstimate(
    long MemoryBytes,
    long BaseBytes,
    long TrainedBytes,
    long OptimizerBytes,
    long ActivationBytes,
    long AvailableBytes
);

/// <summary>A step of the optimizer.</summary>
/// <param name="Step">Steps done by then, from 1.</param>
/// <param name="Loss">Mean cross-entropy of the trained tokens before the step, in nats.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="TrainedTokens">Positions it was learnt from.</param>
public sealed record TrainStep(long Step, double Loss, double GradientNorm, long TrainedTokens);

/// <summary>Cross-entropy over a batch without learning from it: the sum in nats and how many positions it is of.</summary>
public sealed record TrainEvaluation(double LossSum, long Tokens);

/// <summary>Gradients of a batch in a file of safetensors: sums over its trained tokens, not means.</summary>
public sealed record TrainGradients(double LossSum, long TrainedTokens);

/// <summary>A state in a file.</summary>
/// <param name="Bytes">Of the file.</param>
/// <param name="Step">Steps done.</param>
public sealed record TrainSaved(long Bytes, long Step);
