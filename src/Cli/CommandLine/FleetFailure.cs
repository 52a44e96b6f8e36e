namespace EgpuFleet.Cli.CommandLine;

/// <summary>What went wrong, in one line, and what to do about it, in one line.</summary>
internal sealed class FleetFailure(string message, string? action = null, int exitCode = ExitCodes.Failed)
    : Exception(message)
{
    public string? Action { get; } = action;

    public int ExitCode { get; } = exitCode;
}

/// <summary>How the command ends; stable.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int NotFound = 3;
}
