namespace EgpuFleet.Kernels.Tinygrad;

/// <summary>Bounds of this engine, each with its reason.</summary>
internal static class Limits
{
    /// <summary>Closing a GPU properly takes a second or two; a hung one is never closed. Less than the worker's own grace.</summary>
    public static readonly TimeSpan ChildStopTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The protocol of the child that this build speaks.</summary>
    public const int ChildProtocol = 1;

    /// <summary>Stop ids given to the child; it takes no more.</summary>
    public const int StopTokens = 256;
}
