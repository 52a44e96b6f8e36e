namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>How a run goes; equal options, data and thread count give equal losses.</summary>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="BatchRows">Sequences per step.</param>
/// <param name="RowTokens">Tokens per sequence.</param>
/// <param name="PeakRate">Highest learning rate.</param>
/// <param name="WarmUpSteps">Steps until that rate.</param>
/// <param name="Seed">Of the weights and of the order of rows.</param>
public sealed record TrainingOptions(
    int Steps,
    int BatchRows,
    int RowTokens,
    double PeakRate,
    int WarmUpSteps,
    int Seed
);
