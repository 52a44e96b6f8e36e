using EgpuFleet.TestKit;

namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>What the build of the agent placed beside it.</summary>
internal static class Engines
{
    public static string Folder => Path.Combine(Output, "engines");

    public static string Worker => Path.Combine(Folder, "llamacpp", "EgpuFleet.Kernels.LlamaCpp");

    public static string Agent => Path.Combine(Output, "EgpuFleet.NodeAgent");

    private static string Output
    {
        get
        {
            var framework = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
            return RepositoryPaths.At("src", "NodeAgent", "bin", framework.Parent!.Name, framework.Name);
        }
    }
}
