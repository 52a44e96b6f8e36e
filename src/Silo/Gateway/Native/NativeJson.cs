using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>Reads the JSON of native requests strictly: an unknown or repeated field is an error, not a silent default.</summary>
public static class NativeJson
{
    public static JsonSerializerOptions Strict { get; } = Create();

    /// <summary>One value and nothing behind it.</summary>
    /// <exception cref="JsonException">Not such a value.</exception>
    public static T Read<T>(ReadOnlySequence<byte> json)
        where T : class
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Limits.JsonDepth });
        var value = JsonSerializer.Deserialize<T>(ref reader, Strict) ?? throw new JsonException("The value is null.");
        return reader.Read() ? throw new JsonException("More follows after the value.") : value;
    }

    /// <summary>What is wrong, in words of the document and not of this program's types.</summary>
    public static string Describe(JsonException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        var path = exception.Path is { Length: > 2 } full ? full[2..] : "the value";
        var message = exception.Message;
        if (message.Contains("could not be mapped", StringComparison.Ordinal))
            return $"{path} is not a known field";
        if (message.Contains("Duplicate property", StringComparison.Ordinal))
            return $"{path} is given twice";
        if (message.Contains("could not be converted", StringComparison.Ordinal))
            return $"{path} has the wrong type";
        var end = message.IndexOf(" Path:", StringComparison.Ordinal);
        if (end < 0)
            end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var reason = (end < 0 ? message : message[..end]).TrimEnd('.');
        return exception.BytePositionInLine is { } position ? $"{reason} (byte {position + 1})" : reason;
    }

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        ApiJson.Configure(options);
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.PropertyNameCaseInsensitive = false;
        options.AllowDuplicateProperties = false;
        options.MaxDepth = Limits.JsonDepth;
        options.MakeReadOnly();
        return options;
    }
}
