using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.LlamaCpp.Native;

/// <summary>A loaded adapter of a model, which must outlive it.</summary>
internal sealed class LlamaAdapter : IDisposable
{
    /// <param name="path">Of a file that was checked against the model.</param>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.ModelInvalid"/>.</exception>
    public LlamaAdapter(LlamaModelHandle model, string path)
    {
        using var use = model.Use();
        Pointer = Llama.AdapterInit(use.Pointer, path);
        if (Pointer == 0)
        {
            throw new EngineException(
                EngineErrorClass.ModelInvalid,
                $"llama.cpp cannot load the adapter: {LlamaLog.TakeErrors()}"
            );
        }
    }

    public nint Pointer { get; }

    /// <summary>No context may use it any more.</summary>
    public void Dispose() => Llama.AdapterFree(Pointer);
}
