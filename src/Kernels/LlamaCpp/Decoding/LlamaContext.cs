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
    private readonly List<(int Sequence, int Position)> fillers = [];

    /// <exception cref="EngineException"><see cref="EngineErrorClass.OutOfMemory"/> or <see cref="EngineErrorClass.ModelInvalid"/>.</exception>
    public LlamaContext(LlamaModelHandle model, int vocabularySize, ContextShape shape)
    {
        this.vocabularySize = vocabularySize;
        LeastRows = shape.Exact ? 2 : 1;
        var parameters = Llama.ContextDefaultParams();
        parameters.ContextTokens = (uint)(shape.ContextTokens * shape.Sequences);
        parameters.BatchTokens = (uint)BatchTokens(shape);
        parameters.MicroBatchTokens = (uint)BatchTokens(shape);
        parameters.MaxSequences = (uint)shape.Sequences;
        parameters.Threads = shape.Threads;
        parameters.ThreadsBatch = shape.Threads;
        parameters.KvUnified = 0;
        parameters.OffloadKqv = (byte)(shape.IsOnGpu ? 1 : 0);
        parameters.OpOffload = (byte)(shape.IsOnGpu ? 1 : 0);
        parameters.NoPerf = 1;
        if (shape.Exact)
        {
            parameters.FlashAttentionType = Llama.FlashAttentionDisabled;
            parameters.TypeK = Llama.TypeF32;
            parameters.TypeV = Llama.TypeF32;
        }
        using var use = model.Use();
        CanRollBack = !Llama.ModelIsRecurrent(use.Pointer) && !Llama.ModelIsHybrid(use.Pointer);
        context = Llama.InitFromModel(use.Pointer, parameters);
        if (context == 0)
            throw Failed(LlamaLog.TakeErrors());
        Batch = new DecodeBatch(BatchTokens(shape));
    }

    /// <summary>To be filled before <see cref="Decode"/>.</summary>
    public DecodeBatch Batch { get; }

    /// <summary>Rows that a decode call of the exact profile has at least: from two on a row's logits are always the same bits.</summary>
    public int LeastRows { get; }

    /// <summary>Whether the last tokens of a sequence can be taken back. Recurrent state cannot.</summary>
    public bool CanRollBack { get; }

    public long Calls { get; private set; }

    /// <summary>
    /// Adds a row that nobody asked for, so that the sequences of a batch follow each other: llama.cpp computes each unbroken
    /// run of sequences by itself, and a run of one row by another routine, with other rounding, than longer ones. Its
    /// cache entry is gone after the call.
    /// </summary>
    public void AddFiller(int sequence, int position)
    {
        Batch.Add(0, position, sequence, logits: true);
        fillers.Add((sequence, position));
    }

    /// <summary>Computes the batch.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.Internal"/>.</exception>
    public void Decode()
    {
        Calls++;
        var status = Llama.Decode(context, Batch.Native());
        foreach (var (sequence, position) in fillers)
            Llama.MemorySequenceRemove(Llama.GetMemory(context), sequence, position, -1);
        fillers.Clear();
        if (status != 0)
        {
            var text = $"llama_decode returned {status}. {LlamaLog.TakeErrors()}".Trim();
            throw new EngineException(EngineErrorClass.Internal, text);
        }
    }

    /// <summary>From now on every computation is with the adapter, at its own scale.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.ModelInvalid"/>.</exception>
    public void Use(LlamaAdapter adapter)
    {
        var (pointer, scale) = (adapter.Pointer, 1f);
        if (Llama.SetAdapters(context, &pointer, 1, &scale) != 0)
            throw Failed(LlamaLog.TakeErrors());
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
/// <param name="IsOnGpu">Whether weights, cache and products belong to a GPU.</param>
internal sealed record ContextShape(int ContextTokens, int Slots, int Threads, bool Exact, bool IsOnGpu)
{
    /// <summary>Sequences of the KV cache: the exact profile has one more, a neighbour for the last slot.</summary>
    public int Sequences => Exact ? Slots + 1 : Slots;
}
