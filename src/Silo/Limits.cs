namespace EgpuFleet.Silo;

/// <summary>Bounds of everything this process does with Postgres, each with its reason.</summary>
public static partial class Limits
{
    /// <summary>Oldest server accepted: older ones no longer get security fixes.</summary>
    public const int PostgresMajorMin = 14;

    /// <summary>Server connections: ledger writer, pooled readers and Orleans of a few silos, at ~10 MB each.</summary>
    public const int PostgresConnectionsMax = 60;

    /// <summary>Shared buffers: enough for the hot rows of a small fleet, little enough for a Mac that also holds a model.</summary>
    public const int PostgresSharedBuffersMegabytes = 64;

    /// <summary>Ceiling of retained WAL: bounds the disk of an idle fleet and the replay time after a crash.</summary>
    public const int PostgresWalMegabytesMax = 512;

    /// <summary>A server log above this is set aside once at the next start, so that the disk stays bounded.</summary>
    public const long PostgresLogBytesMax = 8L << 20;

    /// <summary>Log lines quoted in a start error: enough to hold one startup attempt.</summary>
    public const int PostgresLogLinesInError = 12;

    /// <summary>Captured output of one server tool; more is cut from the front.</summary>
    public const int PostgresToolOutputCharsMax = 8192;

    /// <summary>initdb takes about a second; a slow disk with a cold cache may take a minute.</summary>
    public static readonly TimeSpan PostgresInitializeTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Start includes WAL replay after a crash, bounded by <see cref="PostgresWalMegabytesMax"/>.</summary>
    public static readonly TimeSpan PostgresStartTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Fast stop disconnects clients and writes one checkpoint; past this an immediate stop follows.</summary>
    public static readonly TimeSpan PostgresStopTimeout = TimeSpan.FromSeconds(30);

    /// <summary>A version query or an account lookup answers at once; past this the tool hangs.</summary>
    public static readonly TimeSpan PostgresToolTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Backends notice a dead postmaster within a second; past this they are ended.</summary>
    public static readonly TimeSpan PostgresOrphanGrace = TimeSpan.FromSeconds(3);

    /// <summary>Starts tried when the chosen port is taken in between or orphans still hold shared memory.</summary>
    public const int PostgresStartAttemptsMax = 5;

    /// <summary>A migration waits this long for another silo that is migrating the same database.</summary>
    public static readonly TimeSpan MigrationTimeout = TimeSpan.FromMinutes(5);
}
