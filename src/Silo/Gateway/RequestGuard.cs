using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;

namespace EgpuFleet.Silo.Gateway;

/// <summary>
/// What every request passes first. It gets an id, which its answer carries. Its Host must name this loopback gateway, so
/// that a web page whose name was pointed at 127.0.0.1 is refused; and a write that a browser sends must come from a page
/// of this very gateway, so that no other page can submit a form to it.
/// </summary>
public sealed class RequestGuard(RequestDelegate next, int port)
{
    public const string RequestIdHeader = "x-request-id";

    public Task InvokeAsync(HttpContext context)
    {
        context.Response.Headers[RequestIdHeader] =
            Activity.Current?.TraceId.ToString() ?? RandomNumberGenerator.GetHexString(32, lowercase: true);
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (!IsOurs(context.Request.Host))
            throw GatewayException.BadRequest(
                "host_not_allowed",
                $"This gateway answers to 127.0.0.1:{port} and localhost:{port} only."
            );
        if (!IsRead(context.Request.Method) && !IsSameOrigin(context.Request))
            throw new GatewayException(
                HttpStatusCode.Forbidden,
                "origin_not_allowed",
                "Pages of other origins may not write here."
            );
        return next(context);
    }

    private static bool IsRead(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);

    private bool IsSameOrigin(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0)
            return true;
        return Uri.TryCreate(origin, UriKind.Absolute, out var uri)
            && uri.Scheme == Uri.UriSchemeHttp
            && IsOurs(new HostString(uri.Host, uri.Port));
    }

    private bool IsOurs(HostString host)
    {
        if ((host.Port ?? 80) != port)
            return false;
        if (host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
            return true;
        return IPAddress.TryParse(host.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address);
    }
}
