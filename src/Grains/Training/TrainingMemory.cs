using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Grains.Training;

/// <summary>Memory of training by arithmetic, before any device has looked at the model.</summary>
public static class TrainingMemory
{
    /// <summary>A weight, its gradient and two moments of AdamW, each a 32-bit float.</summary>
    public const int BytesPerTrainedWeight = 16;

    /// <summary>
    /// A device with less cannot train it, whatever its engine: the frozen weights as they are stored, or each trained one
    /// with its gradient and moments. Activations come on top.
    /// </summary>
    public static long LeastBytes(ModelRecord model, TrainingMethod method)
    {
        ArgumentNullException.ThrowIfNull(model);
        return method == TrainingMethod.Full
            ? Math.Max(model.ParameterCount, 0) * BytesPerTrainedWeight
            : model.WeightBytes;
    }
}
