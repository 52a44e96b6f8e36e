using System.Net;
using EgpuFleet.Silo.Gateway;

namespace EgpuFleet.Silo.Membership;

/// <summary>The credential of an internal request.</summary>
public static class BearerToken
{
    private const string Scheme = "Bearer ";
    private const int MaxLength = 512;

    /// <exception cref="GatewayException">401: there is none.</exception>
    public static string Require(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var header = request.Headers.Authorization.ToString();
        var isBearer = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);
        return isBearer && header.Length > Scheme.Length && header.Length < MaxLength
            ? header[Scheme.Length..]
            : throw Refused("A bearer credential is needed.");
    }

    public static GatewayException Refused(string detail) => new(HttpStatusCode.Unauthorized, "unauthorized", detail);
}
