using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Training;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Model;

/// <summary>The small matrices beside one frozen one: y = W x + scale · B (A x).</summary>
/// <param name="Name">GGUF name without <c>.weight</c>.</param>
/// <param name="A">[rank, inputs].</param>
/// <param name="B">[outputs, rank].</param>
internal sealed record Adapter(string Name, Tensor A, Tensor B, float Scale) : IDisposable
{
    /// <summary>A from the seed, B zero: at first the model is unchanged.</summary>
    public static Adapter Start(string name, long outputs, long inputs, AdapterShape shape, long seed)
    {
        using var scope = NewDisposeScope();
        var start = AdapterStart.Of(seed, name + ".lora_a", shape.Rank, checked((int)inputs));
        var a = tensor(start, [shape.Rank, inputs]);
        var b = zeros([outputs, shape.Rank], ScalarType.Float32);
        a.requires_grad_(!shape.FrozenA);
        b.requires_grad_();
        var scale = (float)(shape.Alpha / shape.Rank);
        return new Adapter(name, a.DetachFromDisposeScope(), b.DetachFromDisposeScope(), scale);
    }

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
    }
}
