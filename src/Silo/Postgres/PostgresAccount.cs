using System.ComponentModel;
using System.Globalization;

namespace EgpuFleet.Silo.Postgres;

/// <summary>
/// Who runs the server. An ordinary user runs it as they are. Postgres refuses root, so root hands it to a dedicated
/// system account by <c>setpriv</c>, with the one capability to search folders: a data directory under a 0700
/// root-owned parent then works without loosening that parent.
/// </summary>
internal sealed record PostgresAccount(string? Name)
{
    public const string SystemName = "egpufleet-postgres";
    private const int DacReadSearchBit = 2;

    /// <summary>The command as this account runs it.</summary>
    public IReadOnlyList<string> Command(params string[] command) =>
        Name is null
            ? command
            :
            [
                "setpriv",
                $"--reuid={Name}",
                $"--regid={Name}",
                "--init-groups",
                .. MayGiveSearch() ? new[] { "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search" } : [],
                .. command,
            ];

    /// <summary>Gives the folder, and nothing else, to this account.</summary>
    public async Task TakeAsync(string folder, CancellationToken cancellationToken)
    {
        if (Name is not null)
            await RequireAsync(["chown", $"{Name}:{Name}", folder], cancellationToken);
    }

    /// <exception cref="EmbeddedPostgresException">Root on macOS, or the account cannot be made.</exception>
    public static async Task<PostgresAccount> ResolveAsync(CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess)
            return new PostgresAccount(Name: null);
        if (!OperatingSystem.IsLinux())
            throw Unusable("Postgres refuses to run as root. Run fleet as an ordinary user, without sudo.");
        if (!await ExistsAsync(cancellationToken))
            await CreateAsync(cancellationToken);
        return new PostgresAccount(SystemName);
    }

    private static async Task CreateAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<string> command = File.Exists("/usr/sbin/useradd")
            ?
            [
                "/usr/sbin/useradd",
                "--system",
                "--user-group",
                "--no-create-home",
                "--home-dir",
                "/nonexistent",
                "--shell",
                "/usr/sbin/nologin",
                SystemName,
            ]
            : ["adduser", "-S", "-D", "-H", SystemName];
        try
        {
            await RequireAsync(command, cancellationToken);
        }
        catch (EmbeddedPostgresException)
        {
            // Another silo of this machine may have made it at the same moment.
            if (!await ExistsAsync(cancellationToken))
                throw;
        }
    }

    private static async Task<bool> ExistsAsync(CancellationToken cancellationToken)
    {
        var result = await PostgresCommand.RunAsync(
            ["id", "-u", SystemName],
            Limits.PostgresToolTimeout,
            cancellationToken
        );
        return result.ExitCode == 0;
    }

    private static async Task RequireAsync(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        try
        {
            var result = await PostgresCommand.RunAsync(command, Limits.PostgresToolTimeout, cancellationToken);
            if (result.ExitCode != 0)
                throw Unusable($"{string.Join(' ', command)} failed ({result.ExitCode}): {result.Output}");
        }
        catch (Exception e) when (e is Win32Exception or TimeoutException)
        {
            throw Unusable($"{string.Join(' ', command)} failed: {e.Message}");
        }
    }

    /// <summary>A container may have taken the capability away; then the parent must let the account through by itself.</summary>
    private static bool MayGiveSearch()
    {
        var line = File.ReadLines("/proc/self/status")
            .FirstOrDefault(l => l.StartsWith("CapBnd:", StringComparison.Ordinal));
        return line is not null
            && ulong.TryParse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var bits)
            && (bits >> DacReadSearchBit & 1) == 1;
    }

    private static EmbeddedPostgresException Unusable(string message) =>
        new(EmbeddedPostgresFault.AccountUnusable, message);
}
