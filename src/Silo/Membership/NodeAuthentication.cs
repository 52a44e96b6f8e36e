using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Silo.Gateway;

namespace EgpuFleet.Silo.Membership;

/// <summary>
/// Which node calls: the directory knows the SHA-256 of each node's credential. Answers are remembered for a short while,
/// so that the membership calls of a whole pool cost the directory nothing.
/// </summary>
public sealed class NodeAuthentication(Fleet fleet, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, (NodeId Node, DateTimeOffset Until)> known = new(
        StringComparer.Ordinal
    );

    /// <exception cref="GatewayException">401: no credential, or nobody's.</exception>
    public async Task<NodeId> RequireAsync(HttpRequest request)
    {
        var token = BearerToken.Require(request);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        var now = time.GetUtcNow();
        if (known.TryGetValue(hash, out var remembered) && remembered.Until > now)
            return remembered.Node;
        var node =
            await fleet.Nodes.Authenticate(hash) ?? throw BearerToken.Refused("No enrolled node has this credential.");
        if (known.Count >= Limits.RememberedCredentials)
            known.Clear();
        known[hash] = (node, now + Limits.CredentialMemory);
        return node;
    }

    /// <summary>A node that is enrolled again has a new credential; the old one must not be remembered.</summary>
    public void Forget() => known.Clear();
}
