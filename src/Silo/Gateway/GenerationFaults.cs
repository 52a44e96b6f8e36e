using System.Net;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway;

/// <summary>What a device's refusal to generate means to the caller.</summary>
public static class GenerationFaults
{
    public static GatewayException From(GenerationException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        if (failure.Retryable)
            return GatewayException.Unavailable(failure.Code, failure.Message);
        return failure.Code switch
        {
            "context_length_exceeded" or "model_has_no_chat_template" or "invalid_request" => new(
                HttpStatusCode.BadRequest,
                failure.Code,
                failure.Message
            ),
            _ => new(HttpStatusCode.UnprocessableEntity, failure.Code, failure.Message),
        };
    }
}
