using System.Text;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.LlamaCpp.Decoding;
using EgpuFleet.Kernels.LlamaCpp.Native;
using EgpuFleet.Kernels.LlamaCpp.Text;
using EgpuFleet.Kernels.Text;

namespace EgpuFleet.Kernels.LlamaCpp;

/// <summary>
/// Loads a GGUF, with an adapter where the spec has one: our reader first, then the memory check, then llama.cpp. Blocks for
/// as long as that takes.
/// </summary>
internal sealed unsafe class ModelLoader(SharedWeights shared, int deviceType)
{
    private const int DescriptionBytes = 128;

    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.ModelInvalid"/>, <see cref="EngineErrorClass.OutOfMemory"/> or
    /// <see cref="EngineErrorClass.InvalidRequest"/>.
    /// </exception>
    public LlamaModel Load(LoadSpec spec)
    {
        var file = ModelFile.Read(spec.Path);
        file.RequireExactable(spec);
        var added = spec.Adapter is { } named ? ReadAdapter(spec.Path, named) : null;
        var isOnGpu = deviceType == Ggml.DeviceGpu;
        var exact = spec.Exact ?? (file.AllF32 && !isOnGpu);
        var contextTokens = Math.Min(spec.ContextTokens ?? int.MaxValue, file.Facts.ContextLength);
        var shape = new ContextShape(contextTokens, spec.Slots, spec.Threads, exact, isOnGpu);
        var memory = file.Facts.EstimateMemory(
            contextTokens,
            shape.Sequences,
            exact ? KvPrecision.F32 : KvPrecision.F16
        );
        memory = memory with { WeightBytes = memory.WeightBytes + (added?.Bytes ?? 0) };
        RequireMemory(memory, shared.Has(spec.BaseHash) ? file.Facts.WeightBytes : 0);

        _ = LlamaLog.TakeErrors();
        var weights = shared.Take(spec.BaseHash, () => LoadWeights(spec.Path, isOnGpu));
        LlamaContext? context = null;
        LlamaAdapter? adapter = null;
        try
        {
            var vocabulary = new Vocabulary(weights.Handle);
            if (vocabulary.Size < 1)
                throw Invalid("The model has no vocabulary.");
            context = new LlamaContext(weights.Handle, vocabulary.Size, shape);
            if (spec.Adapter is not null)
                context.Use(adapter = new LlamaAdapter(weights.Handle, spec.Adapter.Path));
            var chats = new ChatPrompts(file.ChatTemplate, vocabulary.TemplateTokens());
            var info = Describe(spec, file, shape, memory, weights.Handle, vocabulary, chats.HasTemplate);
            return new LlamaModel(weights, vocabulary, chats, context, adapter, info, shape);
        }
        catch
        {
            context?.Dispose();
            adapter?.Dispose();
            weights.Dispose();
            throw;
        }
    }

    /// <summary>An adapter that belongs to the model, by content and by shape.</summary>
    private static GgufAdapter ReadAdapter(string path, AdapterFile named) =>
        ModelFile.Read(
            named.Path,
            adapter => ModelFile.Read(path, model => GgufAdapter.For(adapter, model, named.BaseHash))
        );

    private static LlamaModelHandle LoadWeights(string path, bool isOnGpu)
    {
        const int AllLayers = -1;
        nint none = 0;
        var parameters = Llama.ModelDefaultParams();
        parameters.GpuLayers = isOnGpu ? AllLayers : 0;
        // Left out, llama.cpp takes every GPU that it finds, even where no layer goes there.
        if (!isOnGpu)
            parameters.Devices = (nint)(&none);
        var model = Llama.ModelLoadFromFile(path, parameters);
        if (model == 0)
            throw Invalid($"llama.cpp cannot load the model: {LlamaLog.TakeErrors()}");
        var handle = new LlamaModelHandle(model);
        if (!Llama.ModelHasEncoder(model))
            return handle;
        handle.Dispose();
        throw Invalid("Encoder-decoder models are not supported.");
    }

    /// <param name="sharedBytes">Of the weights, those in memory already.</param>
    private static void RequireMemory(MemoryEstimate memory, long sharedBytes)
    {
        var available = HostMemory.Read().AvailableBytes;
        var needed = NeededBytes(memory) - sharedBytes;
        if (needed <= available)
            return;
        throw new EngineException(
            EngineErrorClass.OutOfMemory,
            $"The model needs {needed} bytes (weights {memory.WeightBytes}, KV cache {memory.KvBytes}); "
                + $"{available} are available.",
            needed,
            available
        );
    }

    private static long NeededBytes(MemoryEstimate memory) =>
        (long)Int128.Min((Int128)memory.WeightBytes + memory.KvBytes, long.MaxValue);

    private static ModelInfo Describe(
        LoadSpec spec,
        ModelFile file,
        ContextShape shape,
        MemoryEstimate memory,
        LlamaModelHandle handle,
        Vocabulary vocabulary,
        bool hasChatTemplate
    )
    {
        using var use = handle.Use();
        var buffer = stackalloc byte[DescriptionBytes];
        var length = Llama.ModelDescription(use.Pointer, buffer, DescriptionBytes);
        return new ModelInfo(
            spec.ContentHash,
            file.Facts.Architecture,
            Encoding.UTF8.GetString(buffer, Math.Clamp(length, 0, DescriptionBytes - 1)),
            file.Facts.Parameters,
            file.Facts.Layers,
            vocabulary.Size,
            file.Facts.ContextLength,
            shape.ContextTokens,
            shape.Slots,
            shape.Threads,
            memory.WeightBytes,
            memory.KvBytes,
            NeededBytes(memory),
            shape.Exact,
            hasChatTemplate
        );
    }

    private static EngineException Invalid(string text) => new(EngineErrorClass.ModelInvalid, text);
}
