namespace EgpuFleet.Grains.Interfaces.Fleet;

/// <summary>An enrolled node.</summary>
/// <param name="CredentialSha256">Lower-case hex SHA-256 of its credential; the credential itself is never kept.</param>
[GenerateSerializer, Immutable, Alias("fleet.NodeRecord")]
public sealed record NodeRecord(
    [property: Id(0)] NodeId Node,
    [property: Id(1)] string CredentialSha256,
    [property: Id(2)] DateTimeOffset EnrolledAt
);

/// <summary>Who may join: enrolled nodes and the hashes of their credentials, persistent. Key: <c>default</c>.</summary>
[Alias("fleet.INodeDirectory")]
public interface INodeDirectoryGrain : IGrainWithStringKey
{
    public const string Key = "default";

    /// <summary>Enrols a node, or gives an enrolled one a new credential.</summary>
    [Alias("Enrol")]
    Task Enrol(NodeRecord node);

    /// <summary>The node whose credential has this hash, or null.</summary>
    [Alias("Authenticate")]
    Task<NodeId?> Authenticate(string credentialSha256);

    [Alias("List")]
    Task<IReadOnlyList<NodeRecord>> List();
}
