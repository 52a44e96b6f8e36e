using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;

namespace EgpuFleet.Grains.Fleet;

/// <summary>The enrolled nodes as they are stored.</summary>
[GenerateSerializer, Alias("fleet.NodeDirectoryState")]
public sealed class NodeDirectoryState
{
    [Id(0)]
    public IDictionary<string, NodeRecord> Nodes { get; } = new Dictionary<string, NodeRecord>(StringComparer.Ordinal);
}

/// <summary>Who may join; see <see cref="INodeDirectoryGrain"/>.</summary>
[GrainType("node-directory")]
public sealed class NodeDirectoryGrain(
    [PersistentState("nodes", FleetStorage.Name)] IPersistentState<NodeDirectoryState> stored
) : Grain, INodeDirectoryGrain
{
    public async Task Enrol(NodeRecord node)
    {
        var nodes = stored.State.Nodes;
        var id = node.Node.Value;
        if (nodes.TryGetValue(id, out var known) && known.CredentialSha256 == node.CredentialSha256)
            return;
        if (known is null && nodes.Count >= Limits.MaxNodes)
            throw new InvalidOperationException($"A pool holds at most {Limits.MaxNodes} nodes.");
        nodes[id] = node;
        try
        {
            await stored.WriteStateAsync();
        }
        catch
        {
            // What is not stored must not be believed: the next call reads the stored state again.
            DeactivateOnIdle();
            throw;
        }
    }

    public Task<NodeId?> Authenticate(string credentialSha256)
    {
        foreach (var node in stored.State.Nodes.Values)
        {
            if (node.CredentialSha256 == credentialSha256)
                return Task.FromResult<NodeId?>(node.Node);
        }
        return Task.FromResult<NodeId?>(null);
    }

    public Task<IReadOnlyList<NodeRecord>> List() =>
        Task.FromResult<IReadOnlyList<NodeRecord>>([
            .. stored.State.Nodes.Values.OrderBy(node => node.Node.Value, StringComparer.Ordinal),
        ]);
}
