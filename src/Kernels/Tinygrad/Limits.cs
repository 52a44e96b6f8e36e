namespace EgpuFleet.Kernels.Tinygrad;

/// <summary>Bounds of this engine, each with its reason.</summary>
internal static class Limits
{
    /// <summary>
    /// More than the child gives itself (<c>CLOSE_SECONDS</c>), so that it says in the log where it hung, and less than the
    /// three seconds after which an agent kills the worker.
    /// </summary>
    public static readonly TimeSpan ChildStopTimeout = TimeSpan.FromSeconds(2.75);

    /// <summary>The protocol of the child that this build speaks.</summary>
    public const int ChildProtocol = 1;

    /// <summary>Stop ids given to the child; it takes no more.</summary>
    public const int StopTokens = 256;
}
