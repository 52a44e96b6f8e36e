namespace EgpuFleet.Silo.Postgres;

/// <summary>Why the embedded server cannot serve.</summary>
public enum EmbeddedPostgresFault
{
    /// <summary>No usable server binaries on this machine; the message names the one command that installs them.</summary>
    BinariesMissing,

    /// <summary>The data directory was made by another major version than any binaries found.</summary>
    VersionMismatch,

    /// <summary>Another live process owns the data directory.</summary>
    DataDirectoryInUse,

    /// <summary>The data directory holds something else, or its password file is gone.</summary>
    DataDirectoryUnusable,

    /// <summary>The dedicated system account cannot be made or used.</summary>
    AccountUnusable,

    /// <summary>A server tool failed; the message holds the last lines of the server log.</summary>
    StartFailed,

    /// <summary>The server did not stop in time.</summary>
    StopFailed,
}

/// <summary>The embedded server cannot be started or stopped. The message names the way out.</summary>
public sealed class EmbeddedPostgresException(EmbeddedPostgresFault fault, string message, Exception? inner = null)
    : Exception(message, inner)
{
    public EmbeddedPostgresFault Fault { get; } = fault;
}
