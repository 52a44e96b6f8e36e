using System.Text.Encodings.Web;
using System.Text.Json;

namespace EgpuFleet.Silo.Gateway.OpenAi.Chat;

/// <summary>JSON from outside as text for a template.</summary>
internal static class PlainJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <exception cref="GatewayException">400: a text in it is none.</exception>
    public static string Of(JsonElement value, string name)
    {
        try
        {
            return JsonSerializer.Serialize(value, Options);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or JsonException)
        {
            throw RequestFields.Wrong(name, "is not valid text");
        }
    }
}
