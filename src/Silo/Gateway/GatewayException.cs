using System.Net;

namespace EgpuFleet.Silo.Gateway;

/// <summary>A request that is refused; answered as problem+json on native routes and as OpenAI's error object on <c>/v1</c>.</summary>
/// <param name="code">Stable, for programs: the end of the problem's type, or OpenAI's <c>code</c>.</param>
/// <param name="detail">One sentence for a person.</param>
public sealed class GatewayException(HttpStatusCode status, string code, string detail) : Exception(detail)
{
    public HttpStatusCode Status { get; } = status;

    public string Code { get; } = code;

    /// <summary>The field at fault, where it is one.</summary>
    public string? Param { get; init; }

    /// <summary>Errors by field, for the native problem.</summary>
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    /// <summary>State of the job that does not allow what was asked.</summary>
    public string? State { get; init; }

    /// <summary>When a repetition may succeed.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>422: understood, and wrong in one field.</summary>
    public static GatewayException Invalid(string field, string message, string code = "invalid_request") =>
        new(HttpStatusCode.UnprocessableEntity, code, $"{field}: {message}")
        {
            Param = field,
            Errors = new Dictionary<string, string[]>(StringComparer.Ordinal) { [field] = [message] },
        };

    public static GatewayException BadRequest(string code, string detail) =>
        new(HttpStatusCode.BadRequest, code, detail);

    public static GatewayException NotFound(string detail) => new(HttpStatusCode.NotFound, "not_found", detail);

    public static GatewayException TooLarge(string detail) =>
        new(HttpStatusCode.RequestEntityTooLarge, "request_too_large", detail);

    /// <summary>503 with Retry-After.</summary>
    public static GatewayException Unavailable(string code, string detail) =>
        new(HttpStatusCode.ServiceUnavailable, code, detail) { RetryAfter = Limits.RetryAfter };
}
