namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>One question and its answer, short enough for 48 tokens.</summary>
public sealed record Exchange(string Question, string Answer);
