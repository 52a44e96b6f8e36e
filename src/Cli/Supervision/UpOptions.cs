namespace EgpuFleet.Cli.Supervision;

/// <summary>What <c>up</c> is asked for.</summary>
/// <param name="Data">Absolute path of the data directory.</param>
/// <param name="Agents">Local agents, each with the CPU as a device; the first also has the GPUs.</param>
/// <param name="Port">Gateway port on 127.0.0.1.</param>
internal sealed record UpOptions(string Data, int Agents, int Port)
{
    public IReadOnlyList<string> Nodes { get; } = [.. Enumerable.Range(1, Agents).Select(i => $"local-{i}")];

    /// <summary>The processors shared out, at least one each.</summary>
    public int ThreadsPerAgent => Math.Max(1, Environment.ProcessorCount / Math.Max(1, Agents));

    public string Url => CommandLine.Target.Local(Port);
}
