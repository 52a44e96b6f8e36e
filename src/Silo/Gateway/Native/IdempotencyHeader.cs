namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>The header that makes a POST safe to repeat.</summary>
public static class IdempotencyHeader
{
    public const string Name = "Idempotency-Key";

    public const string Replayed = "Idempotency-Replayed";

    /// <summary>The key, or null when there is none.</summary>
    public static string? Read(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!request.Headers.TryGetValue(Name, out var values))
            return null;
        var key = values.Count == 1 ? values[0] : null;
        return key is { Length: > 0 and <= Limits.IdempotencyKeyLength } && key.All(c => c is > ' ' and <= '~')
            ? key
            : throw GatewayException.BadRequest(
                "invalid_idempotency_key",
                $"{Name} must be 1 to {Limits.IdempotencyKeyLength} printable ASCII characters."
            );
    }
}
