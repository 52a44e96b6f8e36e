using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>What a request may say about how to generate.</summary>
internal static class GenerationFields
{
    /// <summary>Greedy when nothing is said.</summary>
    public static GenerationParameters Read(GenerationOptions? options)
    {
        var given = options ?? new GenerationOptions();
        if (given.MaxTokens is < 1 or > Limits.MaxTokens)
            throw GatewayException.Invalid("generation.max_tokens", $"must be between 1 and {Limits.MaxTokens}");
        if (given.Temperature is not (null or (>= 0 and <= 2)))
            throw GatewayException.Invalid("generation.temperature", "must be between 0 and 2");
        if (given.TopP is not (null or (> 0 and <= 1)))
            throw GatewayException.Invalid("generation.top_p", "must be above 0 and at most 1");
        if (given.TopK is < 0)
            throw GatewayException.Invalid("generation.top_k", "must be at least 0");
        if (given.Seed is < 0)
            throw GatewayException.Invalid("generation.seed", "must be at least 0");
        return new GenerationParameters(
            given.MaxTokens,
            given.Temperature ?? 0,
            given.TopP ?? 1,
            given.TopK ?? 0,
            given.Seed ?? (given.Temperature > 0 ? Seeds.Next() : 0),
            StopRules.Check(given.Stop ?? [], reason => GatewayException.Invalid("generation.stop", reason))
        );
    }
}
