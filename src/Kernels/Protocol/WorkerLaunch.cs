using System.Diagnostics;
using System.Globalization;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>How a worker process is started: what the agent passes and what the worker reads, in one place.</summary>
public static class WorkerLaunch
{
    /// <summary>Environment variable with the credential; never in argv, which other users can read.</summary>
    public const string CredentialVariable = "EGPUFLEET_WORKER_CREDENTIAL";

    /// <summary>Environment variable that lets noops ask for faults, where it is <c>1</c>; workers inherit it from their agent.</summary>
    public const string NoopFaultsVariable = "EGPUFLEET_NOOP_FAULTS";

    public const string SocketOption = "--socket";
    public const string KeepSecondsOption = "--keep-seconds";

    /// <summary>Start info without redirections; the worker logs to its standard error.</summary>
    /// <param name="executable">Absolute path of the worker: its apphost, or its dll, which then runs under <c>dotnet</c>.</param>
    /// <param name="socketPath">Absolute path of the unix socket it shall listen on, in a folder only its user may enter.</param>
    /// <param name="credential">What every hello must carry.</param>
    /// <param name="keepFor">How long it keeps its models without an agent; null: <see cref="Limits.KeepFor"/>.</param>
    public static ProcessStartInfo StartInfo(
        string executable,
        string socketPath,
        string credential,
        TimeSpan? keepFor = null
    )
    {
        ArgumentNullException.ThrowIfNull(executable);
        _ = WorkerSocket.EndPoint(socketPath);
        var isDll = executable.EndsWith(".dll", StringComparison.OrdinalIgnoreCase);
        var start = new ProcessStartInfo(isDll ? Environment.ProcessPath ?? "dotnet" : executable)
        {
            UseShellExecute = false,
        };
        if (isDll)
        {
            // The agent itself may run from an apphost: only the muxer can run a dll.
            if (!string.Equals(Path.GetFileNameWithoutExtension(start.FileName), "dotnet", StringComparison.Ordinal))
                start.FileName = "dotnet";
            start.ArgumentList.Add(executable);
        }
        start.ArgumentList.Add(SocketOption);
        start.ArgumentList.Add(socketPath);
        start.ArgumentList.Add(KeepSecondsOption);
        start.ArgumentList.Add((keepFor ?? Limits.KeepFor).TotalSeconds.ToString(CultureInfo.InvariantCulture));
        start.Environment[CredentialVariable] = credential;
        // On a failed assertion ggml would start a debugger to print a backtrace, and the dying worker would hang.
        start.Environment["GGML_NO_BACKTRACE"] = "1";
        return start;
    }
}
