using EgpuFleet.Kernels.Torch.Model;

namespace EgpuFleet.Kernels.Torch.Weights;

/// <summary>A model on disk, whatever its format: its shape, and its weights in GGUF's names and order of rows.</summary>
internal interface IWeightSource : IDisposable
{
    LlamaConfig Config { get; }

    /// <summary>Some rows of a weight as floats; a vector is one row.</summary>
    /// <param name="values">Rows × columns.</param>
    void Read(string name, long firstRow, Span<float> values);
}
