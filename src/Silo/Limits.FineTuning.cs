namespace EgpuFleet.Silo;

/// <summary>Bounds of estimates of fine-tuning jobs.</summary>
public static partial class Limits
{
    /// <summary>Estimates made at once: each keeps a core busy and up to some 50 MB of tokens.</summary>
    public const int ConcurrentEstimates = 2;

    /// <summary>Tokens of a file that an estimate counts; the rest is taken to be like them.</summary>
    public const long EstimatedTokens = 4L << 20;

    /// <summary>How long it goes on counting: a person waits.</summary>
    public static readonly TimeSpan EstimateCounting = TimeSpan.FromSeconds(10);

    /// <summary>After so long it is given up: one conversation alone may keep a template busy for longer.</summary>
    public static readonly TimeSpan EstimateWait = TimeSpan.FromSeconds(45);
}
