using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Silo.Gateway;
using Orleans.Runtime;

namespace EgpuFleet.Silo.Membership;

/// <summary>
/// Which node calls: the directory knows the SHA-256 of each node's credential. A node that was known before is let in at
/// once and looked up again behind its back, so that a revoked one is out within <see cref="Limits.CredentialMemory"/>.
/// </summary>
public sealed class NodeAuthentication(Fleet fleet, RememberedNodes remembered, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, long> checkedAt = new(StringComparer.Ordinal);

    /// <exception cref="GatewayException">401: no credential, or nobody's.</exception>
    public async Task<NodeId> RequireAsync(HttpRequest request)
    {
        var token = BearerToken.Require(request);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (remembered.Find(hash) is { } known)
        {
            if (IsDue(hash))
                _ = LookAgainAsync(hash);
            return known;
        }
        var node =
            await fleet.Nodes.Authenticate(hash) ?? throw BearerToken.Refused("No enrolled node has this credential.");
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
            if (await fleet.Nodes.Authenticate(hash) is not null)
                return;
            remembered.Forget(hash);
            checkedAt.TryRemove(hash, out _);
        }
        catch (Exception e) when (e is TimeoutException or OrleansException or SiloUnavailableException)
        {
            // The directory cannot answer now, such as right after a restart; the next call asks again.
            checkedAt.TryRemove(hash, out _);
        }
    }
}
