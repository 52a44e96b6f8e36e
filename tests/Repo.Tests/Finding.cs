namespace EgpuFleet.Repo.Tests;

/// <summary>A place that breaks a rule of the house, and what to do about it.</summary>
/// <param name="Line">1-based; 0 where the whole file is meant.</param>
public sealed record Finding(string Path, int Line, string Message)
{
    public override string ToString() => Line == 0 ? $"{Path}: {Message}" : $"{Path}:{Line}: {Message}";
}
