namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>A thing that texts explain.</summary>
/// <param name="Name">With article where it takes one, as in <c>a GPU</c>.</param>
/// <param name="Definition">One sentence that answers what it is.</param>
/// <param name="More">Further true sentences, readable in any order after the definition.</param>
internal sealed record Topic(string Name, string Definition, params string[] More)
{
    public static IReadOnlyList<Topic> All { get; } = [.. MachineTopics.All, .. WorkTopics.All, .. WorldTopics.All];
}
