using EgpuFleet.TestKit;

namespace EgpuFleet.Kernels.Tests.Drivers;

/// <summary>A recorded text: its first line says where it is from, the rest is the text.</summary>
/// <param name="Label"><c>real: SOURCE</c>, quoted from a public report, or <c>constructed from: SOURCE</c>.</param>
public sealed record Transcript(string Name, string Label, string Text)
{
    private static readonly string Folder = RepositoryPaths.At("tests", "Kernels.Tests", "Drivers", "Transcripts");

    public bool IsReal => Label.StartsWith("real: ", StringComparison.Ordinal);

    public static IReadOnlyList<Transcript> All { get; } =
    [
        .. Directory
            .EnumerateFiles(Folder, "*.txt", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Folder, path).Replace('\\', '/'))
            .Order(StringComparer.Ordinal)
            .Select(Read),
    ];

    /// <param name="name">Relative to the folder, without its ending.</param>
    public static Transcript Of(string name) => All.Single(transcript => transcript.Name == name);

    private static Transcript Read(string path)
    {
        var parts = File.ReadAllText(Path.Combine(Folder, path)).Split('\n', 2);
        return new Transcript(path[..^".txt".Length], parts[0], parts[1]);
    }
}
