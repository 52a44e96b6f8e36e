using System.Reflection;
using System.Runtime.InteropServices;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Drivers.Gathering;

namespace EgpuFleet.Cli.Evidence;

/// <summary>Tells what machine this is and which software runs on it.</summary>
internal static class EvidenceMachines
{
    private const int CommitCharacters = 12;

    public static async Task<EvidenceMachine> ThisAsync(
        DeviceDescription processor,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var version = typeof(EvidenceMachines).Assembly.GetName().Version?.ToString(fieldCount: 3) ?? "unknown";
        return new EvidenceMachine(
            version,
            await CommitAsync(clock, cancellationToken),
            OperatingSystem.IsMacOS() ? $"macOS {Environment.OSVersion.Version}" : RuntimeInformation.OSDescription,
            RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant(),
            processor.Model,
            processor.CoreCount,
            processor.TotalMemoryBytes
        );
    }

    private static async Task<string> CommitAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        async Task<CommandText> GitAsync(params string[] arguments) =>
            await new HostCommand(clock).RunAsync(
                "git",
                ["-C", Programs.Root, .. arguments],
                Kernels.Limits.CommandTimeout,
                cancellationToken
            );

        var head = await GitAsync("rev-parse", "HEAD");
        if (!head.IsGood || head.Text.Trim() is not { Length: >= CommitCharacters } commit)
            return "unknown";
        var changes = await GitAsync("status", "--porcelain", "--untracked-files=no");
        return commit[..CommitCharacters] + (changes.IsGood && changes.Text.Length > 0 ? "+changes" : "");
    }
}
