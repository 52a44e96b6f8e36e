namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>What an adapter is: W + (alpha / rank) · B · A beside each target.</summary>
/// <param name="Targets">GGUF names of <see cref="AdapterModules"/>, in any order.</param>
/// <param name="FrozenSeed">Of A as it began, where only B was trained and a state has no A; else null.</param>
public sealed record AdapterForm(int Rank, double Alpha, IReadOnlyList<string> Targets, long? FrozenSeed = null)
{
    /// <summary>What B · A counts.</summary>
    public double Scale => Alpha / Rank;

    /// <summary>The targets in the order of a block, each once.</summary>
    internal IEnumerable<string> InOrder => AdapterModules.All.Select(one => one.Gguf).Where(Targets.Contains);
}
