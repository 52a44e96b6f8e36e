using System.Runtime.InteropServices;

namespace EgpuFleet.Cli.Processes;

/// <summary>
/// The hidden verb by which this program starts others: it leaves the terminal's session and then becomes the other
/// program (same process id), so that Ctrl-C reaches the supervisor alone.
/// <c>exec-in-session [--log FILE] PROGRAM [ARGUMENT...]</c>; with a log, standard input is empty and the output goes there.
/// </summary>
internal static class SessionExec
{
    public const string Verb = "exec-in-session";

    private const int NotExecutable = 126;

    /// <summary>The command that starts <paramref name="program"/> in a session of its own.</summary>
    public static (string File, IReadOnlyList<string> Arguments) Command(
        string program,
        IEnumerable<string> arguments,
        string? log = null
    ) =>
        (
            Path.Combine(AppContext.BaseDirectory, "EgpuFleet.Cli"),
            [Verb, .. log is null ? Array.Empty<string>() : ["--log", log], program, .. arguments]
        );

    /// <summary>Does not return where it succeeds.</summary>
    public static int Run(string[] arguments)
    {
        // Fails only for a leader of a process group, which then already is apart.
        _ = Native.setsid();
        if (arguments is ["--log", var log, .. var command])
        {
            Redirect(log);
            arguments = command;
        }
        if (arguments.Length == 0)
            return NotExecutable;
        nint[] argv = [.. arguments.Select(Marshal.StringToCoTaskMemUTF8), 0];
        _ = Native.execv(arguments[0], argv);
        Console.Error.WriteLine($"{arguments[0]}: {Marshal.GetLastPInvokeErrorMessage()}");
        return NotExecutable;
    }

    private static void Redirect(string log)
    {
        using var empty = File.OpenHandle("/dev/null");
        using var output = File.OpenHandle(log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        _ = Native.dup2((int)empty.DangerousGetHandle(), 0);
        _ = Native.dup2((int)output.DangerousGetHandle(), 1);
        _ = Native.dup2((int)output.DangerousGetHandle(), 2);
    }
}
