namespace EgpuFleet.Kernels.Engines;

/// <summary>What must hold of a load before an engine sees it.</summary>
internal static class LoadSpecRules
{
    private const int HashCharacters = 64;

    public static void Check(LoadSpec spec)
    {
        if (!Path.IsPathFullyQualified(spec.Path))
            throw Invalid($"The model path '{spec.Path}' is not absolute.");
        if (!File.Exists(spec.Path))
            throw Invalid($"There is no file '{spec.Path}'.");
        RequireHash(spec.ContentHash);
        InRange("threads", spec.Threads, 1, Limits.Threads);
        InRange("slots", spec.Slots, 1, Limits.Slots);
        if (spec.ContextTokens is { } context)
            InRange("context_tokens", context, 1, int.MaxValue);
    }

    public static void RequireHash(string contentHash)
    {
        if (contentHash.Length != HashCharacters || contentHash.Any(c => !char.IsAsciiHexDigitLower(c)))
            throw Invalid("The content hash is not 64 lower-case hexadecimal digits.");
    }

    public static void InRange(string name, int value, int least, int most)
    {
        if (value < least || value > most)
            throw new EngineException(
                EngineErrorClass.InvalidRequest,
                $"{name} {value} is not in {least}..{most}.",
                value,
                most
            );
    }

    private static EngineException Invalid(string text) => new(EngineErrorClass.InvalidRequest, text);
}
