namespace EgpuFleet.Silo;

/// <summary>Bounds of what is done before a fine-tuning job is made.</summary>
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

    /// <summary>Files whose longest samples are tokenised before a job is made: each keeps a core busy.</summary>
    public const int ConcurrentLengthChecks = 2;

    /// <summary>How long samples of one file are tokenised for that: some million tokens.</summary>
    public static readonly TimeSpan LengthChecking = TimeSpan.FromSeconds(2);

    /// <summary>After so long a job is made without: one conversation may keep a template busy.</summary>
    public static readonly TimeSpan LengthCheckWait = TimeSpan.FromSeconds(5);

    /// <summary>How long a pause waits for a state to be durable: longer than a device takes over it at most.</summary>
    public static readonly TimeSpan SettleWait = TimeSpan.FromSeconds(18);
}
