using System.Text.Json;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Silo.Hosting;

namespace EgpuFleet.Silo.Membership;

/// <summary>
/// Credentials of nodes that were authenticated before, kept over a restart in a file that only its owner reads (hashes,
/// never credentials).
/// <para>
/// Agents read the membership table through this silo, and a restarted silo places no grain before the agents have read
/// that it is there. So whether a known node may read must not itself depend on a grain.
/// </para>
/// </summary>
public sealed class RememberedNodes
{
    private readonly Lock turn = new();
    private readonly string path;
    private readonly Dictionary<string, string> nodesByHash;

    public RememberedNodes(DataFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        path = folder.RememberedNodes;
        nodesByHash = Read(path);
    }

    public NodeId? Find(string hash)
    {
        lock (turn)
            return nodesByHash.TryGetValue(hash, out var name) && NodeId.TryParse(name, out var node) ? node : null;
    }

    /// <summary>A node has one credential: an earlier one is forgotten.</summary>
    public void Remember(NodeId node, string hash)
    {
        lock (turn)
        {
            if (nodesByHash.TryGetValue(hash, out var known) && known == node.Value)
                return;
            foreach (var old in nodesByHash.Where(pair => pair.Value == node.Value).Select(pair => pair.Key).ToArray())
                nodesByHash.Remove(old);
            // Far above any pool; beyond it the directory is asked each time.
            if (nodesByHash.Count >= Limits.RememberedCredentials)
                return;
            nodesByHash[hash] = node.Value;
            Write();
        }
    }

    public void Forget(string hash)
    {
        lock (turn)
        {
            if (nodesByHash.Remove(hash))
                Write();
        }
    }

    private void Write() => PrivateFile.Replace(path, JsonSerializer.Serialize(nodesByHash, JsonSerializerOptions.Web));

    private static Dictionary<string, string> Read(string path)
    {
        if (!File.Exists(path))
            return new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            var read = JsonSerializer.Deserialize<Dictionary<string, string>>(
                File.ReadAllText(path),
                JsonSerializerOptions.Web
            );
            return new Dictionary<string, string>(read ?? [], StringComparer.Ordinal);
        }
        catch (JsonException)
        {
            // Only a memory: the directory still knows.
            return new Dictionary<string, string>(StringComparer.Ordinal);
        }
    }
}
