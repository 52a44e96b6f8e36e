using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp.Native;

namespace EgpuFleet.Kernels.LlamaCpp.Decoding;

/// <summary>
/// The KV cache of all slots and the calls that compute with it, used by one thread. Every slot has a stream of its own in
/// the cache, so that what one sequence computes does not depend on where the others' keys lie.
/// </summary>
internal sealed unsafe class LlamaContext : IDisposable
{
    /// <summary>
    /// Prompt tokens per call. A running decode waits for at most one such call; from here on a CPU gains little by more.
    /// Chunks lie at multiples of it from the start of the prompt, so that a prompt is always computed in the same pieces.
    /// </summary>
    public const int ChunkTokens = 128;

    private readonly nint context;
    private readonly int vocabularySize;
    private readonly int? padSequence;

    /// <exception cref="EngineException"><see cref="EngineErrorClass.OutOfMemory"/> or <see cref="EngineErrorClass.ModelInvalid"/>.</exception>
    public LlamaContext(LlamaModelHandle model, int vocabularySize, ContextShape shape)
    {
        this.vocabularySize = vocabularySize;
        padSequence = shape.Exact ? shape.Slots : null;
        var parameters = Llama.ContextDefaultParams();
        parameters.ContextTokens = (uint)(shape.ContextTokens * shape.Sequences);
        parameters.BatchTokens = (uint)BatchTokens(shape);
        parameters.MicroBatchTokens = (uint)BatchTokens(shape);
        parameters.MaxSequences = (uint)shape.Sequences;
        parameters.Threads = shape.Threads;
        parameters.ThreadsBatch = shape.Threads;
        parameters.KvUnified = 0;
        parameters.OffloadKqv = 0;
        parameters.OpOffload = 0;
        parameters.NoPerf = 1;
        if (shape.Exact)
        {
            parameters.FlashAttentionType = Llama.FlashAttentionDisabled;
            parameters.TypeK = Llama.TypeF32;
            parameters.TypeV = Llama.TypeF32;
        }
        using var use = model.Use();
        context = Llama.InitFromModel(use.Pointer, parameters);
        if (context == 0)
            throw Failed(LlamaLog.TakeErrors());
        Batch = new DecodeBatch(BatchTokens(shape));
    }

    /// <summary>To be filled before <see cref="Decode"/>.</summary>
    public DecodeBatch Batch { get; }

    public long Calls { get; private set; }

    /// <summary>Computes the batch.</summary>
    /// <param name="pad">
    /// Whether a batch of one token gets a second, of no sequence. One row is multiplied by another routine than several are,
    /// with other rounding: with the pad a token's logits are the same bits alone and in company.
    /// </param>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.Internal"/>.</exception>
    public void Decode(bool pad)
    {
        Calls++;
        var padded = pad && padSequence is not null && Batch.Count == 1;
        if (padded)
            Batch.Add(0, 0, padSequence!.Value, logits: true);
        var status = Llama.Decode(context, Batch.Native());
        if (padded)
            Forget(padSequence!.Value);
        if (status != 0)
        {
            var text = $"llama_decode returned {status}. {LlamaLog.TakeErrors()}".Trim();
            throw new EngineException(EngineErrorClass.Internal, text);
        }
    }

    /// <summary>Logits of the batch's token of this index, valid until the next call.</summary>
    public ReadOnlySpan<float> Logits(int index)
    {
        var logits = Llama.GetLogits(context, index);
        return logits is not null
            ? new ReadOnlySpan<float>(logits, vocabularySize)
            : throw new EngineException(EngineErrorClass.Internal, $"No logits for token {index} of the batch.");
    }

    /// <summary>Frees a sequence's part of the cache.</summary>
    public void Forget(int sequence) => Llama.MemorySequenceRemove(Llama.GetMemory(context), sequence, -1, -1);

    public void Dispose()
    {
        Llama.Free(context);
        Batch.Dispose();
    }

    private static int BatchTokens(ContextShape shape) => Math.Max(ChunkTokens, shape.Sequences);

    private static EngineException Failed(string errors) =>
        errors.Contains("alloc", StringComparison.OrdinalIgnoreCase)
            ? new(EngineErrorClass.OutOfMemory, $"The KV cache cannot be allocated: {errors}")
            : new(EngineErrorClass.ModelInvalid, $"llama.cpp cannot run this model: {errors}");
}

/// <param name="ContextTokens">Positions of each slot.</param>
/// <param name="Slots">Sequences decoded at once.</param>
/// <param name="Threads">Processor threads.</param>
/// <param name="Exact">Whether results must be the same bits alone and batched.</param>
internal sealed record ContextShape(int ContextTokens, int Slots, int Threads, bool Exact)
{
    /// <summary>Sequences of the KV cache: the exact profile has one more, for the padding token.</summary>
    public int Sequences => Exact ? Slots + 1 : Slots;
}
