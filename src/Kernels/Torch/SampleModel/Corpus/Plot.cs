namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>The middle of a story: each stage has a few ways to be told, all of which fit those of the others.</summary>
internal sealed record Plot(string[] Trouble, string[] Attempt, string[] Help, string[] End)
{
    public static IReadOnlyList<Plot> All { get; } = [.. NaturePlots.All, .. MachinePlots.All];
}
