using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp.Native;

namespace EgpuFleet.Kernels.LlamaCpp.Decoding;

/// <summary>Computes the vectors of several texts in one call. Used by one thread; keeps its model.</summary>
internal sealed unsafe class EmbeddingContext : IDisposable
{
    /// <summary>Texts of one call.</summary>
    public const int MostTexts = 32;

    private const int PoolingUnspecified = -1;
    private const int PoolingNone = 0;
    private const int PoolingMean = 1;
    private const int PoolingRank = 4;

    private readonly LlamaModelHandle.Usage model;
    private readonly nint context;
    private readonly int width;
    private readonly DecodeBatch batch;

    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.OutOfMemory"/>, or <see cref="EngineErrorClass.InvalidRequest"/>: the model makes no vectors.
    /// </exception>
    public EmbeddingContext(LlamaModelHandle handle, LlamaAdapter? adapter, ContextShape shape)
    {
        Tokens = Math.Min(shape.ContextTokens, Limits.EmbeddingTokens);
        model = handle.Use();
        try
        {
            width = Llama.ModelEmbeddingWidth(model.Pointer);
            context = Open(shape, PoolingUnspecified);
            // A model that was made for texts has no word on it; the mean of its tokens is what others take, too.
            if (Llama.PoolingType(context) == PoolingNone)
            {
                Llama.Free(context);
                context = Open(shape, PoolingMean);
            }
            if (Llama.PoolingType(context) == PoolingRank)
                throw Refused("The model ranks texts, and makes no vectors of them.");
            var (pointer, scale) = (adapter?.Pointer ?? 0, 1f);
            if (adapter is not null && Llama.SetAdapters(context, &pointer, 1, &scale) != 0)
                throw Refused($"llama.cpp cannot use the adapter here: {LlamaLog.TakeErrors()}");
        }
        catch
        {
            if (context != 0)
                Llama.Free(context);
            model.Dispose();
            throw;
        }
        batch = new DecodeBatch(Tokens);
    }

    /// <summary>Tokens of one call, in all its texts together.</summary>
    public int Tokens { get; }

    /// <param name="texts">At most <see cref="MostTexts"/>, with at most <see cref="Tokens"/> tokens together, none empty.</param>
    /// <returns>Their vectors, as <see cref="Embedding.Vector"/> has them.</returns>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.Internal"/>.</exception>
    public byte[][] Compute(IReadOnlyList<int[]> texts)
    {
        batch.Clear();
        for (var sequence = 0; sequence < texts.Count; sequence++)
        {
            for (var position = 0; position < texts[sequence].Length; position++)
                batch.Add(texts[sequence][position], position, sequence, logits: true);
        }
        var status = Llama.Decode(context, batch.Native());
        if (status != 0)
            throw Internal($"llama_decode returned {status}. {LlamaLog.TakeErrors()}".Trim());
        var vectors = new byte[texts.Count][];
        for (var sequence = 0; sequence < vectors.Length; sequence++)
            vectors[sequence] = Normalised(Llama.GetSequenceEmbedding(context, sequence));
        // An encoder has no memory to clear.
        if (Llama.GetMemory(context) is not 0 and var memory)
            Llama.MemoryClear(memory, false);
        return vectors;
    }

    public void Dispose()
    {
        Llama.Free(context);
        batch.Dispose();
        model.Dispose();
    }

    private nint Open(ContextShape shape, int pooling)
    {
        var parameters = Llama.ContextDefaultParams();
        parameters.ContextTokens = (uint)Tokens;
        parameters.BatchTokens = (uint)Tokens;
        // What attends to all of a text takes it in one piece.
        parameters.MicroBatchTokens = (uint)Tokens;
        parameters.MaxSequences = MostTexts;
        parameters.KvUnified = 1;
        parameters.Embeddings = 1;
        parameters.PoolingType = pooling;
        parameters.Threads = shape.Threads;
        parameters.ThreadsBatch = shape.Threads;
        parameters.OffloadKqv = (byte)(shape.IsOnGpu ? 1 : 0);
        parameters.OpOffload = (byte)(shape.IsOnGpu ? 1 : 0);
        parameters.NoPerf = 1;
        var opened = Llama.InitFromModel(model.Pointer, parameters);
        return opened != 0
            ? opened
            : throw new EngineException(
                EngineErrorClass.OutOfMemory,
                $"No room to make vectors with this model: {LlamaLog.TakeErrors()}"
            );
    }

    private byte[] Normalised(float* values)
    {
        if (values is null)
            throw Internal("llama.cpp made no vector.");
        var vector = new ReadOnlySpan<float>(values, width).ToArray();
        var length = Math.Sqrt(vector.Sum(value => (double)value * value));
        if (!double.IsFinite(length) || length == 0)
            throw Internal("The vector is not finite, or zero.");
        for (var i = 0; i < vector.Length; i++)
            vector[i] = (float)(vector[i] / length);
        return MemoryMarshal.AsBytes(vector.AsSpan()).ToArray();
    }

    private static EngineException Refused(string text) => new(EngineErrorClass.InvalidRequest, text);

    private static EngineException Internal(string text) => new(EngineErrorClass.Internal, text);
}
