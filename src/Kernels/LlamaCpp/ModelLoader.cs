using System.Text;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.LlamaCpp.Decoding;
using EgpuFleet.Kernels.LlamaCpp.Native;
using EgpuFleet.Kernels.LlamaCpp.Text;

namespace EgpuFleet.Kernels.LlamaCpp;

/// <summary>Loads a GGUF: our reader first, then the memory check, then llama.cpp. Blocks for as long as that takes.</summary>
internal static unsafe class ModelLoader
{
    private const int DescriptionBytes = 128;

    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.ModelInvalid"/>, <see cref="EngineErrorClass.OutOfMemory"/> or
    /// <see cref="EngineErrorClass.InvalidRequest"/>.
    /// </exception>
    public static LlamaModel Load(LoadSpec spec, int deviceType)
    {
        var file = ModelFile.Read(spec.Path);
        file.RequireExactable(spec);
        var isOnGpu = deviceType == Ggml.DeviceGpu;
        var exact = spec.Exact ?? (file.AllF32 && !isOnGpu);
        var contextTokens = Math.Min(spec.ContextTokens ?? int.MaxValue, file.Facts.ContextLength);
        var shape = new ContextShape(contextTokens, spec.Slots, spec.Threads, exact, isOnGpu);
        var memory = file.Facts.EstimateMemory(
            contextTokens,
            shape.Sequences,
            exact ? KvPrecision.F32 : KvPrecision.F16
        );
        RequireMemory(memory);

        _ = LlamaLog.TakeErrors();
        var handle = LoadWeights(spec.Path, isOnGpu);
        LlamaContext? context = null;
        try
        {
            var vocabulary = new Vocabulary(handle);
            if (vocabulary.Size < 1)
                throw Invalid("The model has no vocabulary.");
            context = new LlamaContext(handle, vocabulary.Size, shape);
            var template = ChatTemplate.Of(handle);
            var info = Describe(spec, file, shape, memory, handle, vocabulary, template is not null);
            return new LlamaModel(handle, vocabulary, template, context, info);
        }
        catch
        {
            context?.Dispose();
            handle.Dispose();
            throw;
        }
    }

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

    private static void RequireMemory(MemoryEstimate memory)
    {
        var available = HostMemory.Read().AvailableBytes;
        var needed = NeededBytes(memory);
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
