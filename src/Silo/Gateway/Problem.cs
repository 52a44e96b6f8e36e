using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using EgpuFleet.Api;
using Microsoft.AspNetCore.WebUtilities;

namespace EgpuFleet.Silo.Gateway;

/// <summary>Problem details (RFC 9457) as native routes answer errors; read back as <see cref="ProblemInfo"/>.</summary>
public sealed record Problem(
    string Type,
    string Title,
    int Status,
    string Detail,
    string Instance,
    IReadOnlyDictionary<string, string[]>? Errors,
    string? State,
    [property: JsonPropertyName("traceId")] string TraceId
)
{
    public const string ContentType = "application/problem+json";

    public static Task WriteAsync(HttpContext context, GatewayException refused)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(refused);
        var problem = new Problem(
            $"urn:egpufleet:problem:{refused.Code}",
            ReasonPhrases.GetReasonPhrase((int)refused.Status),
            (int)refused.Status,
            refused.Message,
            context.Request.Path,
            refused.Errors,
            refused.State,
            Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier
        );
        return context.Response.WriteAsJsonAsync(problem, ApiJson.Options, ContentType, context.RequestAborted);
    }
}
