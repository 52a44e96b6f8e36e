namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>What serving a model needs on a device, an upper estimate in bytes.</summary>
/// <param name="WeightBytes">All tensors.</param>
/// <param name="KvBytes">Keys and values of every slot at full context.</param>
/// <param name="ActivationBytes">Reserve for one prefill batch: layer activations, attention scores and logits.</param>
public sealed record MemoryEstimate(long WeightBytes, long KvBytes, long ActivationBytes)
{
    /// <summary>The sum; <see cref="long.MaxValue"/> where it would overflow.</summary>
    public long TotalBytes => (long)Int128.Min((Int128)WeightBytes + KvBytes + ActivationBytes, long.MaxValue);
}
