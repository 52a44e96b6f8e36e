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

    /// <summary>
    /// Where a worker finds tinygrad, by variable; empty where nothing tells. What this process's environment names goes before
    /// what was installed: a developer's checkout is meant.
    /// </summary>
    public IReadOnlyDictionary<string, string> WorkerSettings()
    {
        var named = new[] { TinygradSettings.CheckoutVariable, TinygradSettings.PythonVariable }
            .Select(name => KeyValuePair.Create(name, Environment.GetEnvironmentVariable(name) ?? ""))
            .Where(variable => variable.Value.Length > 0)
            .ToDictionary(StringComparer.Ordinal);
        if (named.Count == 0 && IsInstalled)
            named[TinygradSettings.PythonVariable] = Python;
        return named;
    }
}
