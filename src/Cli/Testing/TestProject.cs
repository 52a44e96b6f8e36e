using EgpuFleet.Cli.Supervision;

namespace EgpuFleet.Cli.Testing;

/// <summary>A test project of the checkout: an executable that runs its own tests.</summary>
internal sealed record TestProject(string Name, string Executable)
{
    /// <summary>All, by name; <paramref name="part"/> keeps those whose name contains it.</summary>
    public static IReadOnlyList<TestProject> Find(string root, string? part) =>
        [
            .. Directory
                .EnumerateFiles(Path.Combine(root, "tests"), "*.Tests.csproj", SearchOption.AllDirectories)
                .Select(file => (Name: Path.GetFileNameWithoutExtension(file), Folder: Path.GetDirectoryName(file)!))
                .Where(project => part is null || project.Name.Contains(part, StringComparison.OrdinalIgnoreCase))
                .OrderBy(project => project.Name, StringComparer.Ordinal)
                .Select(project => new TestProject(
                    project.Name,
                    Path.Combine(Programs.Output(project.Folder), "EgpuFleet." + project.Name)
                )),
        ];
}
