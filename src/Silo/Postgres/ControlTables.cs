using Npgsql;

namespace EgpuFleet.Silo.Postgres;

/// <summary>A credential already belongs to another node.</summary>
public sealed class CredentialTakenException(string node)
    : Exception($"The credential for {node} is that of another node.");

/// <summary>
/// What control silos share about agents and about each other: node credentials, enrolment secrets, and who may lead. All
/// hashes are lower-case hex SHA-256.
/// </summary>
public sealed class ControlTables(NpgsqlDataSource database)
{
    private const string Enrol = """
        insert into node_credential (node, credential_sha256) values ($1, $2)
        on conflict (node) do update set credential_sha256 = excluded.credential_sha256, enrolled_at = now()
        where node_credential.credential_sha256 <> excluded.credential_sha256
        """;

    private const string FindNode = "select node from node_credential where credential_sha256 = $1";

    private const string PublishSecret = """
        insert into enrolment_secret (silo, sha256) values ($1, $2)
        on conflict (silo) do update set sha256 = excluded.sha256 where enrolment_secret.sha256 <> excluded.sha256
        """;

    private const string HasSecret = "select exists (select from enrolment_secret where sha256 = $1)";

    // A holder is named by its silo's address, then a space, then what tells it apart there. As a release does it: no
    // holder has an empty name, so the term is over, and its epoch fences whatever the dead silo may still send.
    private const string EndTerms = """
        update leader_lease set holder = '', expires_at = clock_timestamp()
        where holder <> '' and split_part(holder, ' ', 1) = any($1)
        """;

    /// <summary>Gives a node its credential; an earlier one is void.</summary>
    /// <exception cref="CredentialTakenException">Another node has the same one.</exception>
    public async Task EnrolAsync(string node, string credentialSha256, CancellationToken cancellationToken)
    {
        try
        {
            await ExecuteAsync(Enrol, cancellationToken, node, credentialSha256);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new CredentialTakenException(node);
        }
    }

    /// <summary>The node with that credential, or null.</summary>
    public async Task<string?> FindNodeAsync(string credentialSha256, CancellationToken cancellationToken)
    {
        await using var find = Command(FindNode, credentialSha256);
        return (string?)await find.ExecuteScalarAsync(cancellationToken);
    }

    public Task PublishSecretAsync(string silo, string sha256, CancellationToken cancellationToken) =>
        ExecuteAsync(PublishSecret, cancellationToken, silo, sha256);

    public async Task<bool> HasSecretAsync(string sha256, CancellationToken cancellationToken)
    {
        await using var find = Command(HasSecret, sha256);
        return (bool)(await find.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Ends what silos lead that have been declared dead. Returns the number of pools that may have a new leader at once.</summary>
    /// <param name="silos">Addresses, as Orleans writes them for parsing.</param>
    public Task<int> EndTermsAsync(string[] silos, CancellationToken cancellationToken) =>
        ExecuteAsync(EndTerms, cancellationToken, [silos]);

    private async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = database.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}
