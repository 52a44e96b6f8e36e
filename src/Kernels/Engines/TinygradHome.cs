namespace EgpuFleet.Kernels.Engines;

/// <summary>
/// Where <c>fleet engine install tinygrad</c> puts its Python environment: a folder of its own for each pinned commit, so that
/// a new one never changes what a running worker imports. It counts only when its marker is there, which is written last.
/// </summary>
/// <param name="EngineData">Folder of all that engines need, in a fleet's or an agent's data folder.</param>
public sealed record TinygradHome(string EngineData)
{
    public string Folder => Path.Combine(EngineData, $"tinygrad-{TinygradSettings.PinnedCommit}");

    /// <summary>Interpreter of the environment, with tinygrad and numpy.</summary>
    public string Python => Path.Combine(Folder, "bin", "python");

    /// <summary>Written when everything else was checked.</summary>
    public string Marker => Path.Combine(Folder, "installed.json");

    public bool IsInstalled => File.Exists(Marker) && File.Exists(Python);
}
