using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Grains.Training;

/// <summary>What of a training run decides where it may run.</summary>
/// <param name="Engine">Must train it; null: any that can.</param>
public sealed record TrainNeeds(TrainingMethod Method, string? Engine)
{
    public static TrainNeeds? Of(TrainParameters? train) => train is null ? null : new(train.Method, train.Engine);
}
