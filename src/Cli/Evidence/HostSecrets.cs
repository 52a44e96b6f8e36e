using System.Net;
using System.Text.RegularExpressions;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Cli.Evidence;

/// <summary>What is known of this machine and its user that no report shall tell.</summary>
/// <param name="Paths">Folders, each with what is written instead.</param>
/// <param name="Serials">Serial numbers and ids of the machine.</param>
internal sealed partial record HostSecrets(
    IReadOnlyList<string> HostNames,
    IReadOnlyList<string> UserNames,
    IReadOnlyList<(string Path, string Instead)> Paths,
    IReadOnlyList<string> Serials
)
{
    private static readonly string[] LinuxIds =
    [
        "/etc/machine-id",
        "/sys/class/dmi/id/product_serial",
        "/sys/class/dmi/id/board_serial",
        "/sys/class/dmi/id/chassis_serial",
        "/sys/class/dmi/id/product_uuid",
    ];

    /// <summary>Asks the system; what it does not tell is not known, and then only what looks like a secret is taken out.</summary>
    public static async Task<HostSecrets> GatherAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        var commands = new HostCommand(clock);
        async Task<string> AskAsync(string tool, params string[] arguments) =>
            (await commands.RunAsync(tool, arguments, Kernels.Limits.CommandTimeout, cancellationToken)).Text.Trim();

        List<string> hosts = [Environment.MachineName, Dns.GetHostName(), Dns.GetHostName().Split('.')[0]];
        List<string> serials = [];
        if (OperatingSystem.IsMacOS())
        {
            hosts.Add(await AskAsync("scutil", "--get", "ComputerName"));
            hosts.Add(await AskAsync("scutil", "--get", "LocalHostName"));
            var platform = await AskAsync("ioreg", "-rd1", "-c", "IOPlatformExpertDevice");
            serials.AddRange(PlatformId().Matches(platform).Select(match => match.Groups["id"].Value));
        }
        else
        {
            foreach (var file in LinuxIds)
                serials.Add(await ReadAsync(file, cancellationToken));
        }
        return new HostSecrets(
            hosts,
            [Environment.UserName, .. Variables("USER", "LOGNAME", "SUDO_USER")],
            [
                (Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "~"),
                (Path.TrimEndingDirectorySeparator(Path.GetTempPath()), "<tmp>"),
                (Programs.Root, "<egpufleet>"),
                .. Variables(TinygradSettings.CheckoutVariable).Select(path => (path, "<tinygrad>")),
            ],
            serials
        );
    }

    private static IEnumerable<string> Variables(params string[] names) =>
        names.Select(name => Environment.GetEnvironmentVariable(name) ?? "").Where(value => value.Length > 0);

    private static async Task<string> ReadAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            return File.Exists(file) ? (await File.ReadAllTextAsync(file, cancellationToken)).Trim() : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Only root may read it: then no text of ours can hold it either.
            return "";
        }
    }

    [GeneratedRegex(
        @"""IOPlatform(?:SerialNumber|UUID)""\s*=\s*""(?<id>[^""]+)""",
        RegexOptions.None,
        Limits.RedactionMilliseconds
    )]
    private static partial Regex PlatformId();
}
