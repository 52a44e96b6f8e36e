namespace EgpuFleet.NodeAgent.Hosting;

/// <summary>The agent cannot start as it was told to; the message says what to change.</summary>
public sealed class AgentStartException(string message, int exitCode = ExitCodes.Usage) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}

/// <summary>How an agent's process ends.</summary>
public static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>Told something it cannot work with.</summary>
    public const int Usage = 2;

    /// <summary>The gateway did not let it in within the join timeout (EX_UNAVAILABLE).</summary>
    public const int NotJoined = 69;

    /// <summary>Declared dead by the cluster, or another failure a new process does not have: start it again (EX_TEMPFAIL).</summary>
    public const int StartAgain = 75;
}
