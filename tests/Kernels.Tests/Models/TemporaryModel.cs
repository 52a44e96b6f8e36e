using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Tests.Models;

/// <summary>A model file of a test, under a name of its own; gone when disposed.</summary>
internal sealed class TemporaryModel : IDisposable
{
    private static int made;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("efm");

    public TemporaryModel(SyntheticModel model, bool dequantised = false) => model.Write(Path, dequantised);

    public string Path => System.IO.Path.Combine(folder.FullName, "model.gguf");

    /// <summary>Stands for the file's SHA-256: new for every file of this process.</summary>
    public string Hash { get; } = Interlocked.Increment(ref made).ToString("x64");

    public LoadSpec Spec(int slots, bool? exact) => new(Path, Hash, Threads: 1, Slots: slots, Exact: exact);

    public GenerateRequest Continue(IReadOnlyList<int> prompt, GenerationOptions options) =>
        new(Hash, new TokenPrompt(prompt), options);

    public void Dispose() => folder.Delete(recursive: true);
}
