namespace EgpuFleet.Silo.Postgres;

/// <summary>Where the embedded server keeps its data and how it is reached.</summary>
public sealed record EmbeddedPostgresOptions
{
    /// <summary>
    /// The server's own folder, made when missing. Its parent keeps <c>postgres.password</c> (0600) and
    /// <c>postgres.lock</c>; the parent's mode is never changed.
    /// </summary>
    public required string DataDirectory { get; init; }

    /// <summary>TCP port on 127.0.0.1; null picks a free one at each start.</summary>
    public int? Port { get; init; }

    /// <summary>Database created at first start and named in the connection string.</summary>
    public string Database { get; init; } = "egpufleet";

    /// <summary>Settings of this server alone, over the tuned ones (tests switch fsync off, nothing else does).</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Binaries to use; null searches by <see cref="PostgresBinaries.Find"/>.</summary>
    public PostgresBinaries? Binaries { get; init; }
}
