namespace EgpuFleet.Kernels.Torch;

/// <summary>Bounds of what this engine keeps.</summary>
internal static class Limits
{
    /// <summary>Pieces whose tokens are remembered: more than the different words of any text trained on here.</summary>
    public const int CachedPieces = 1 << 16;

    /// <summary>A model's <c>config.json</c> has two kilobytes.</summary>
    public const int ConfigBytes = 1 << 20;
}
