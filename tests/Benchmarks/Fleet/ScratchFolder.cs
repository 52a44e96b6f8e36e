namespace EgpuFleet.Benchmarks.Fleet;

/// <summary>A private folder in the temporary one, gone at disposal.</summary>
internal sealed class ScratchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("egpufleet-bench-").FullName;

    public string At(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
