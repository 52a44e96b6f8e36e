using System.Net;

namespace EgpuFleet.Api;

/// <summary>The gateway answered with an error; the message is the problem's detail and, where given, each field's errors.</summary>
public sealed class FleetApiException(HttpStatusCode status, string message, ProblemInfo? problem) : Exception(message)
{
    public HttpStatusCode Status { get; } = status;

    public ProblemInfo? Problem { get; } = problem;
}
