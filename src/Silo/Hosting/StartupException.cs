namespace EgpuFleet.Silo.Hosting;

/// <summary>The process cannot start; the message is the one line that its user sees.</summary>
/// <param name="exitCode">1 for a failure, 2 for a wrong command line.</param>
public sealed class StartupException(string message, int exitCode = ExitCodes.Failed) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
