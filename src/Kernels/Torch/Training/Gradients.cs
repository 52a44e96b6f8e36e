using TorchSharp;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>Adding to a weight's gradient what autograd does not see.</summary>
internal static class Gradients
{
    /// <param name="whole">The gradient where there is none yet.</param>
    /// <param name="add">Adds in place to one of 32-bit floats.</param>
    public static void Add(Tensor weight, Func<Tensor> whole, Func<Tensor, Tensor> add)
    {
        using var scope = NewDisposeScope();
        if (weight.grad is not { } total)
        {
            var made = whole();
            weight.grad = made.dtype == ScalarType.Float32 ? made : made.to(ScalarType.Float32);
        }
        else
            _ = add(total);
    }
}
