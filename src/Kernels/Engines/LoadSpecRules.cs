namespace EgpuFleet.Kernels.Engines;

/// <summary>What must hold of a load before an engine sees it.</summary>
internal static class LoadSpecRules
{
    private const int HashCharacters = 64;

    public static void Check(LoadSpec spec)
    {
        RequireFile(spec.Path);
        RequireHash(spec.ContentHash);
        if (spec.Adapter is { } adapter)
        {
            RequireFile(adapter.Path);
            RequireHash(adapter.BaseHash);
        }
        InRange("threads", spec.Threads, 1, Limits.Threads);
        InRange("slots", spec.Slots, 1, Limits.Slots);
        if (spec.ContextTokens is { } context)
            InRange("context_tokens", context, 1, int.MaxValue);
    }

    private static void RequireFile(string path)
    {
        if (!Path.IsPathFullyQualified(path))
            throw Invalid($"The model path '{path}' is not absolute.");
        if (!File.Exists(path))
            throw Invalid($"There is no file '{path}'.");
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
