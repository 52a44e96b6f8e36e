using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Silo.Gateway;
using EgpuFleet.Silo.Postgres;
using Npgsql;

namespace EgpuFleet.Silo.Membership;

/// <summary>
/// Which node calls: the database knows the SHA-256 of each node's credential. A node that was known before is let in at
/// once and looked up again behind its back, so that a revoked one is out within <see cref="Limits.CredentialMemory"/>.
/// <para>
/// No grain is asked: agents read the membership table through a silo, and a restarted silo places no grain before the
/// agents have read that it is there.
/// </para>
/// </summary>
public sealed class NodeAuthentication(ControlTables tables, RememberedNodes remembered, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, long> checkedAt = new(StringComparer.Ordinal);

    /// <exception cref="GatewayException">401: no credential, or nobody's.</exception>
    public async Task<NodeId> RequireAsync(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var token = BearerToken.Require(request);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (remembered.Find(hash) is { } known)
        {
            if (IsDue(hash))
                _ = LookAgainAsync(hash);
            return known;
        }
        var node =
            await FindAsync(hash, request.HttpContext.RequestAborted)
            ?? throw BearerToken.Refused("No enrolled node has this credential.");
        remembered.Remember(node, hash);
        checkedAt[hash] = time.GetTimestamp();
        return node;
    }

    private bool IsDue(string hash)
    {
        var now = time.GetTimestamp();
        if (checkedAt.TryGetValue(hash, out var last) && time.GetElapsedTime(last, now) < Limits.CredentialMemory)
            return false;
        checkedAt[hash] = now;
        return true;
    }

    private async Task LookAgainAsync(string hash)
    {
        try
        {
            if (await FindAsync(hash, CancellationToken.None) is not null)
                return;
            remembered.Forget(hash);
            checkedAt.TryRemove(hash, out _);
        }
        catch (NpgsqlException)
        {
            // The database is away; the next call asks again.
            checkedAt.TryRemove(hash, out _);
        }
    }

    private async Task<NodeId?> FindAsync(string hash, CancellationToken cancellationToken) =>
        NodeId.TryParse(await tables.FindNodeAsync(hash, cancellationToken), out var node) ? node : null;
}
