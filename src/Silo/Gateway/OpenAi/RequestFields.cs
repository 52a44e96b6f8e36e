using System.Text.Json;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>
/// The fields of an OpenAI request. Unknown ones are ignored; a known one of the wrong type or range is a 400 that names
/// it; null means left out.
/// </summary>
/// <param name="body">A JSON object.</param>
/// <param name="path">Where it stands in the request, such as <c>response_format</c>; null: it is the request.</param>
public sealed class RequestFields(JsonElement body, string? path = null)
{
    /// <summary>Reads a body as one JSON object.</summary>
    /// <exception cref="GatewayException">400: it is none.</exception>
    public static async Task<JsonDocument> ReadAsync(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!request.HasJsonContentType())
            throw GatewayException.BadRequest("unsupported_media_type", "Send the request as application/json.");
        if (request.ContentLength > Limits.CompletionBodyBytes)
            throw GatewayException.TooLarge($"The body is larger than {Limits.CompletionBodyBytes >> 20} MiB.");
        await using var bounded = new BoundedStream(request.Body, Limits.CompletionBodyBytes);
        try
        {
            var document = await JsonDocument.ParseAsync(
                bounded,
                new JsonDocumentOptions { MaxDepth = Limits.CompletionJsonDepth },
                request.HttpContext.RequestAborted
            );
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document;
            document.Dispose();
            throw GatewayException.BadRequest("invalid_json", "The body must be a JSON object.");
        }
        catch (JsonException e)
        {
            throw GatewayException.BadRequest("invalid_json", $"The body is not valid JSON: {e.Message}");
        }
    }

    /// <summary>The value of a field; null when it is absent or null.</summary>
    public JsonElement? Value(string name)
    {
        try
        {
            return body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
        }
        catch (InvalidOperationException)
        {
            // The look-up compares with every name, and one of them is no valid text.
            throw new GatewayException(
                System.Net.HttpStatusCode.BadRequest,
                "invalid_json",
                "The body has a field whose name is not valid text."
            )
            {
                Param = path,
            };
        }
    }

    public string? Text(string name) => Value(name) is { } value ? Text(value, At(name)) : null;

    public string RequiredText(string name) => Text(name) is { Length: > 0 } text ? text : throw Missing(At(name));

    public bool Flag(string name) =>
        Value(name) switch
        {
            null => false,
            { ValueKind: JsonValueKind.True } => true,
            { ValueKind: JsonValueKind.False } => false,
            _ => throw Wrong(At(name), "must be true or false"),
        };

    public double? Number(string name, double least, double most)
    {
        if (Value(name) is not { } value)
            return null;
        return
            value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out var number)
            && number >= least
            && number <= most
            ? number
            : throw Wrong(At(name), $"must be a number from {least} to {most}");
    }

    public long? Whole(string name, long least, long most)
    {
        if (Value(name) is not { } value)
            return null;
        return
            value.ValueKind == JsonValueKind.Number
            && value.TryGetInt64(out var number)
            && number >= least
            && number <= most
            ? number
            : throw Wrong(At(name), $"must be a whole number from {least} to {most}");
    }

    /// <summary>A field as errors name it.</summary>
    public string At(string name) => path is null ? name : $"{path}.{name}";

    /// <summary>A text out of a document that may hold escapes that make no valid text.</summary>
    public static string Text(JsonElement value, string name)
    {
        if (value.ValueKind != JsonValueKind.String)
            throw Wrong(name, "must be a string");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, or bytes that are no UTF-8.
            throw Wrong(name, "is not valid text");
        }
    }

    private static bool IsHarmless(string name, JsonElement value, Func<JsonElement, bool> isHarmless)
    {
        try
        {
            return isHarmless(value);
        }
        catch (InvalidOperationException)
        {
            // It compares texts, and one of them is no valid text.
            throw Wrong(name, "is not valid text");
        }
    }

    /// <summary>A field that would change the answer, has a value that does, and is not supported here.</summary>
    public void Refuse(string name, Func<JsonElement, bool> isHarmless)
    {
        ArgumentNullException.ThrowIfNull(isHarmless);
        if (Value(name) is { } value && !IsHarmless(name, value, isHarmless))
            throw new GatewayException(
                System.Net.HttpStatusCode.BadRequest,
                "unsupported_parameter",
                $"{name} is not supported here with this value."
            )
            {
                Param = name,
            };
    }

    public static GatewayException Wrong(string name, string reason) =>
        new(System.Net.HttpStatusCode.BadRequest, "invalid_value", $"{name} {reason}.") { Param = name };

    public static GatewayException Missing(string name) =>
        new(System.Net.HttpStatusCode.BadRequest, "missing_required_parameter", $"{name} is needed.") { Param = name };
}
