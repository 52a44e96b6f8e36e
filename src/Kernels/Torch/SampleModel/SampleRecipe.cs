using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Torch.Training;

namespace EgpuFleet.Kernels.Torch.SampleModel;

/// <summary>Everything that decides what the sample model becomes.</summary>
/// <param name="Name">The model's name in its file.</param>
/// <param name="Documents">Texts to train on.</param>
/// <param name="HeldOutDocuments">Texts from another seed, to measure on.</param>
/// <param name="Config">The model's shape.</param>
/// <param name="Training">How it is trained; its seed is that of the text, too.</param>
public sealed record SampleRecipe(
    string Name,
    int Documents,
    int HeldOutDocuments,
    LlamaConfig Config,
    TrainingOptions Training
)
{
    /// <summary>The model under samples/models.</summary>
    public static SampleRecipe TinyFleet(int steps) =>
        new(
            "tiny-fleet",
            20_000,
            400,
            LlamaConfig.TinyFleet,
            new TrainingOptions(steps, BatchRows: 8, RowTokens: 256, PeakRate: 3e-3, WarmUpSteps: 100, Seed: 4780)
        );
}
