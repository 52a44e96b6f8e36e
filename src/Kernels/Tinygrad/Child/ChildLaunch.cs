using System.ComponentModel;
using System.Diagnostics;
using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Tinygrad.Child;

/// <summary>How the Python child is started.</summary>
/// <param name="Tinygrad">Checkout of tinygrad at the pinned commit; null: it is installed in the interpreter's environment.</param>
/// <param name="Device">tinygrad's <c>DEV</c>, such as <c>CPU</c> or <c>AMD</c>.</param>
/// <param name="Threads">Processor threads its kernels may use; null: all.</param>
internal sealed record ChildLaunch(string? Tinygrad, string Device, string? Threads = null)
{
    /// <inheritdoc cref="TinygradSettings.CheckoutVariable"/>
    public const string TinygradVariable = TinygradSettings.CheckoutVariable;

    /// <inheritdoc cref="TinygradSettings.DeviceVariable"/>
    public const string DeviceVariable = TinygradSettings.DeviceVariable;

    private const string Package = "egpufleet_tinygrad";

    /// <summary>
    /// All that the child inherits. tinygrad reads its settings from dozens of plain names (DEBUG, JIT, even NO_COLOR, which must be
    /// a number to it): what happens to be set in the agent's shell must not change what it computes.
    /// </summary>
    private static readonly string[] Inherited =
    [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "TMPDIR",
        "LANG",
        "XDG_CACHE_HOME",
        "CACHEDB",
        "LLVM_PATH",
        "DOCKER_HOST",
        "APL_REMOTE_SOCK",
        "AM_POWER_LIMIT",
    ];

    public static ChildLaunch FromEnvironment() =>
        new(Read(TinygradVariable), Read(DeviceVariable) ?? "CPU", Read(TinygradSettings.ThreadsVariable));

    /// <exception cref="EngineException"><see cref="EngineErrorClass.EngineUnavailable"/>.</exception>
    public async Task<Process> StartAsync(CancellationToken cancellationToken)
    {
        if (Tinygrad is not null && !Directory.Exists(Path.Combine(Tinygrad, "tinygrad")))
            throw Unavailable($"{TinygradVariable} is '{Tinygrad}', which holds no checkout of tinygrad.");
        var start = new ProcessStartInfo(await FindPythonAsync(cancellationToken))
        {
            // -P: the working folder must not lend it modules.
            ArgumentList = { "-P", "-m", Package },
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        Isolate(start);
        var folder = Path.Combine(AppContext.BaseDirectory, "worker");
        start.Environment["PYTHONPATH"] = Tinygrad is null ? folder : $"{folder}{Path.PathSeparator}{Tinygrad}";
        start.Environment["DEV"] = Device;
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        if (Threads is not null)
        {
            // Of tinygrad's kernels, and of numpy's own products, which the self-test compares with.
            start.Environment["NUM_CPU_THREADS"] = Threads;
            start.Environment["OMP_NUM_THREADS"] = Threads;
        }
        try
        {
            return Process.Start(start) ?? throw Unavailable($"{start.FileName} did not start.");
        }
        catch (Win32Exception exception)
        {
            throw Unavailable($"{start.FileName} cannot be started: {exception.Message}", exception);
        }
    }

    /// <summary>The interpreter, as an absolute path.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.EngineUnavailable"/>: none is new enough and has numpy.</exception>
    public static async Task<string> FindPythonAsync(CancellationToken cancellationToken)
    {
        var found = await TinygradPython.FindAsync(new HostCommand(TimeProvider.System), cancellationToken);
        return found is { Fits: true, Path: { } path }
            ? path
            : throw Unavailable(
                $"None of {string.Join(", ", TinygradPython.Candidates)} is Python {TinygradPython.Oldest} or newer with numpy. "
                    + "Install them (python3-numpy on Debian), "
                    + $"or name an interpreter by {TinygradPython.Variable}."
            );
    }

    /// <summary>Leaves it nothing of this process's environment but what it needs.</summary>
    public static void Isolate(ProcessStartInfo start)
    {
        foreach (var name in start.Environment.Keys.Except(Inherited, StringComparer.Ordinal).ToList())
            start.Environment.Remove(name);
    }

    private static string? Read(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;

    private static EngineException Unavailable(string text, Exception? inner = null) =>
        new(EngineErrorClass.EngineUnavailable, text, innerException: inner);
}
