using System.Globalization;
using System.Text.RegularExpressions;

namespace EgpuFleet.Silo.Postgres;

/// <summary>Server settings for a small fleet: every acknowledged commit is on disk, everything else is modest.</summary>
internal static partial class PostgresSettings
{
    /// <summary>Options for <c>pg_ctl -o</c>, which a shell splits: names and values are therefore plain words.</summary>
    public static string Arguments(int port, IReadOnlyDictionary<string, string> overrides)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            // Loopback with a password, and no socket: private to whoever can read the 0600 password file, as root
            // and as a user, on Linux and macOS alike, with no path limit of 103 bytes.
            ["listen_addresses"] = "127.0.0.1",
            ["port"] = port.ToString(CultureInfo.InvariantCulture),
            ["unix_socket_directories"] = "",
            ["max_connections"] = Limits.PostgresConnectionsMax.ToString(CultureInfo.InvariantCulture),
            ["shared_buffers"] = $"{Limits.PostgresSharedBuffersMegabytes}MB",
            ["max_wal_size"] = $"{Limits.PostgresWalMegabytesMax}MB",
            // A turn of two thousand small jobs fits: the log is written once, at its end.
            ["wal_buffers"] = "16MB",
            ["wal_compression"] = "on",
            // A thousand jobs a second leave as they came: rows are reused before files grow.
            ["autovacuum_naptime"] = "15s",
            ["fsync"] = "on",
            ["synchronous_commit"] = "on",
            ["full_page_writes"] = "on",
            // Short statements only: compiling them costs more than running them.
            ["jit"] = "off",
            ["timezone"] = "UTC",
            ["log_timezone"] = "UTC",
            ["log_min_messages"] = "warning",
            ["log_checkpoints"] = "off",
            // A client that hangs inside a transaction must not hold the leader row for ever.
            ["idle_in_transaction_session_timeout"] = "60s",
            ["cluster_name"] = "egpufleet",
        };
        foreach (var (name, value) in overrides)
            settings[name] = value;
        return string.Join(' ', settings.Select(setting => $"-c {Word(setting.Key)}={Word(setting.Value)}"));
    }

    private static string Word(string text) =>
        text.Length == 0 ? "''"
        : PlainWord().IsMatch(text) ? text
        : throw new ArgumentException($"'{text}' is not a plain word of a server setting.", nameof(text));

    [GeneratedRegex(@"\A[A-Za-z0-9_.,/-]+\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex PlainWord();
}
