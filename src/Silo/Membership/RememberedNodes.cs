using EgpuFleet.Grains.Interfaces;

namespace EgpuFleet.Silo.Membership;

/// <summary>
/// Credentials of nodes that were looked up before, in memory: most calls of agents need no database, and an agent that was
/// known stays known while the database is away.
/// </summary>
public sealed class RememberedNodes
{
    private readonly Lock turn = new();
    private readonly Dictionary<string, NodeId> nodesByHash = new(StringComparer.Ordinal);

    public NodeId? Find(string hash)
    {
        lock (turn)
            return nodesByHash.TryGetValue(hash, out var node) ? node : null;
    }

    /// <summary>A node has one credential: an earlier one is forgotten.</summary>
    public void Remember(NodeId node, string hash)
    {
        lock (turn)
        {
            foreach (var old in nodesByHash.Where(pair => pair.Value == node).Select(pair => pair.Key).ToArray())
                nodesByHash.Remove(old);
            // Far above any pool; beyond it the database is asked each time.
            if (nodesByHash.Count < Limits.RememberedCredentials)
                nodesByHash[hash] = node;
        }
    }

    public void Forget(string hash)
    {
        lock (turn)
            nodesByHash.Remove(hash);
    }
}
