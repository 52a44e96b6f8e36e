using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Membership;
using EgpuFleet.Silo.Gateway;

namespace EgpuFleet.Silo.Membership;

/// <summary>Reads the JSON bodies of internal requests.</summary>
public static class InternalJson
{
    public static async Task<T> ReadAsync<T>(HttpRequest request, JsonSerializerOptions? options = null)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(request);
        try
        {
            return await JsonSerializer.DeserializeAsync<T>(
                    request.Body,
                    options ?? MembershipJson.Options,
                    request.HttpContext.RequestAborted
                ) ?? throw Malformed();
        }
        catch (JsonException)
        {
            throw Malformed();
        }
    }

    public static GatewayException Malformed() =>
        GatewayException.BadRequest("invalid_json", "The body is not what this route takes.");
}
