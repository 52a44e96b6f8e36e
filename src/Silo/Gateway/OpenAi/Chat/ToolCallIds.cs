using System.Security.Cryptography;

namespace EgpuFleet.Silo.Gateway.OpenAi.Chat;

/// <summary>Ids of calls.</summary>
internal static class ToolCallIds
{
    // Mistral's templates take nothing longer, and nothing but letters and digits.
    private const int Length = 9;

    public static string Next() =>
        RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", Length);
}
