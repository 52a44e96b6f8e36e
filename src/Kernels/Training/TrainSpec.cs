using System.Text.Json.Serialization;

namespace EgpuFleet.Kernels.Training;

/// <summary>What of a model is trained.</summary>
public enum TrainMethod
{
    /// <summary>Two small matrices beside each chosen one; the model's own weights are frozen, quantised ones stay so.</summary>
    Lora,

    /// <summary>Every weight, in 32-bit floats.</summary>
    Full,
}

/// <summary>In which floats a pass computes; weights that are trained, their gradients and moments are 32-bit floats always.</summary>
public enum TrainPrecision
{
    F32,
    Bf16,
}

/// <summary>The shape of an adapter: W + (alpha / rank) · B · A for each target, B zero at the start.</summary>
/// <param name="Rank">Rows of A and columns of B, 1 to 512.</param>
/// <param name="Alpha">Scale of the adapter, over its rank.</param>
/// <param name="Targets">GGUF names of matrices of a block without their prefix and suffix, such as <c>attn_q</c>; see <see cref="AdapterTargets"/>.</param>
/// <param name="FrozenA">Whether only B is trained: then means of several adapters are adapters of their means.</param>
public sealed record AdapterShape(int Rank, double Alpha, IReadOnlyList<string> Targets, bool FrozenA = false);

/// <summary>AdamW with decoupled weight decay (none on vectors), gradients clipped by their norm over all tensors.</summary>
/// <param name="ClipNorm">0: not clipped.</param>
public sealed record AdamSettings(
    double Beta1 = 0.9,
    double Beta2 = 0.95,
    double Epsilon = 1e-8,
    double WeightDecay = 0.01,
    double ClipNorm = 1.0
);

/// <summary>One training session: which model, what of it, and how a step is computed. Learning rates come with each step.</summary>
/// <param name="Path">Absolute path of the base model: a GGUF file, or a Hugging Face folder with safetensors.</param>
/// <param name="ContentHash">SHA-256 of the GGUF, lower-case hexadecimal; of a folder, that of its weights in order of names.</param>
/// <param name="Threads">Processor threads the session may use.</param>
/// <param name="Adapter">Exactly for <see cref="TrainMethod.Lora"/>.</param>
/// <param name="RowTokens">Positions of a row of a batch.</param>
/// <param name="RowsPerPass">Rows computed at once; a batch of more is accumulated over several passes.</param>
/// <param name="Seed">Of the adapter's first values; see <see cref="Formats.Adapters.AdapterStart"/>.</param>
/// <param name="Recompute">Whether activations are computed again on the way back: less memory, a third more time.</param>
public sealed record TrainSpec(
    string Path,
    string ContentHash,
    int Threads,
    TrainMethod Method,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] AdapterShape? Adapter,
    int RowTokens,
    int RowsPerPass,
    AdamSettings Optimizer,
    long Seed,
    TrainPrecision Precision = TrainPrecision.F32,
    bool Recompute = false
);
