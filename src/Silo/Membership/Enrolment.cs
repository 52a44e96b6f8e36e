using System.Net;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Membership;
using EgpuFleet.Silo.Gateway;
using EgpuFleet.Silo.Hosting;
using EgpuFleet.Silo.Postgres;

namespace EgpuFleet.Silo.Membership;

/// <summary>
/// <c>POST /internal/nodes</c>: whoever knows the enrolment secret of any control silo may name a node and the hash of its credential. The
/// names of control silos are not for nodes: placement finds a node by its silo's name.
/// </summary>
public sealed class Enrolment(
    EnrolmentSecret secret,
    ControlTables tables,
    RememberedNodes remembered,
    Fleet fleet,
    TimeProvider time
)
{
    private const int HashLength = 64;

    public async Task<IResult> HandleAsync(HttpRequest request)
    {
        var aborted = request.HttpContext.RequestAborted;
        var token = BearerToken.Require(request);
        if (!secret.Matches(token) && !await tables.HasSecretAsync(EnrolmentSecret.Sha256Of(token), aborted))
            throw BearerToken.Refused("This is not the enrolment secret.");
        var enrolment = await InternalJson.ReadAsync<NodeEnrolment>(request);
        if (!NodeId.TryParse(enrolment.Node, out var node) || IsReserved(node))
            throw GatewayException.Invalid("node", "is not a name that a node may have");
        var hash = enrolment.CredentialSha256;
        if (hash.Length != HashLength || !hash.All(char.IsAsciiHexDigitLower))
            throw GatewayException.Invalid("credential_sha256", "must be 64 lower-case hex digits");
        await EnrolAsync(node, hash, aborted);
        remembered.Remember(node, hash);
        return Results.NoContent();
    }

    private async Task EnrolAsync(NodeId node, string hash, CancellationToken cancellationToken)
    {
        try
        {
            await tables.EnrolAsync(node.Value, hash, cancellationToken);
        }
        catch (CredentialTakenException taken)
        {
            throw new GatewayException(HttpStatusCode.Conflict, "credential_taken", taken.Message);
        }
        await fleet.Nodes.Enrol(new NodeRecord(node, hash, time.GetUtcNow()));
    }

    private static bool IsReserved(NodeId node) =>
        node.Value.StartsWith(SiloSettings.NamePrefix, StringComparison.Ordinal);
}
