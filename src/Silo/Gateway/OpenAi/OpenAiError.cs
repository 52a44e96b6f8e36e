using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>OpenAI's error object: all four fields, always.</summary>
public sealed record OpenAiError(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string Message,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Code
)
{
    public static OpenAiError From(GatewayException refused)
    {
        ArgumentNullException.ThrowIfNull(refused);
        return new OpenAiError(refused.Message, TypeOf(refused.Status), refused.Param, refused.Code);
    }

    public static Task WriteAsync(HttpContext context, GatewayException refused)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Response.WriteAsJsonAsync(
            new OpenAiErrorBody(From(refused)),
            OpenAiJson.Options,
            "application/json",
            context.RequestAborted
        );
    }

    private static string TypeOf(HttpStatusCode status) =>
        (int)status switch
        {
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            503 => "unavailable_error",
            >= 500 => "server_error",
            _ => "invalid_request_error",
        };
}

/// <summary>The envelope around an error.</summary>
public sealed record OpenAiErrorBody(OpenAiError Error);
