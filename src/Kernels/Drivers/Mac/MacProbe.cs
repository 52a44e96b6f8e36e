using EgpuFleet.Kernels.Drivers.Gathering;

namespace EgpuFleet.Kernels.Drivers.Mac;

/// <summary>Asks a Mac about its external GPU. Opens no GPU and connects to no server: both have one client at a time.</summary>
internal sealed class MacProbe(TimeProvider clock)
{
    private const string App = "/Applications/TinyGPU.app";

    private static readonly string[] Libraries = ["/opt/homebrew/lib", "/usr/local/lib"];

    private static readonly string[] Reports = ["SPPCIDataType", "SPThunderboltDataType", "SPDisplaysDataType"];

    private readonly HostCommand _commands = new(clock);

    public async Task<MacTexts> GatherAsync(CancellationToken cancellationToken)
    {
        Task<CommandText> Ask(string tool, params string[] arguments) =>
            _commands.RunAsync(
                tool,
                arguments,
                tool == "system_profiler" ? Limits.ProfilerTimeout : Limits.CommandTimeout,
                cancellationToken
            );

        var version = Ask("sw_vers", "-productVersion");
        var extensions = Ask("systemextensionsctl", "list");
        var status = Ask($"{App}/Contents/MacOS/TinyGPU", "status");
        var json = Ask("system_profiler", ["-json", .. Reports]);
        var text = Ask("system_profiler", Reports[0]);
        var pci = Ask("ioreg", "-rc", "IOPCIDevice", "-l");
        var tinyGpu = Ask("ioreg", "-rn", "tinygpu");
        var docker = Ask("docker", "info", "--format", "{{.ServerVersion}}");
        var server = Ask("pgrep", "-f", "TinyGPU server");
        var locks = Ask("lsof", ["-t", .. LockFiles()]);
        return new MacTexts(
            MacSysctl.Number("hw.optional.arm64") == 1,
            await version,
            await extensions,
            await status,
            await json,
            await text,
            await pci,
            await tinyGpu,
            await docker,
            await server,
            await locks,
            Files(),
            Panics()
        );
    }

    private static string[] LockFiles() =>
        [Path.Combine(Path.GetTempPath(), "am_usb4.lock"), Path.Combine(Path.GetTempPath(), "nv_usb4.lock")];

    private static MacFiles Files()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var temporary = Path.GetTempPath();
        return new MacFiles(
            Directory.Exists(App),
            HasLibrary("libamd_comgr.dylib"),
            LlvmVersion(),
            File.Exists(Path.Combine(home, ".local", "bin", "nvcc")),
            HasLibrary("libtinymesa.dylib"),
            FirmwareFiles(home),
            temporary.StartsWith("/var/folders/", StringComparison.Ordinal)
                || temporary.StartsWith(home + "/", StringComparison.Ordinal)
        );
    }

    private static bool HasLibrary(string name) => Libraries.Any(folder => File.Exists(Path.Combine(folder, name)));

    /// <summary>Homebrew names the folder by the version: <c>../Cellar/llvm/21.1.0</c>.</summary>
    private static int? LlvmVersion() =>
        HostFiles
            .Names("/opt/homebrew/opt")
            .Where(name => name == "llvm" || name.StartsWith("llvm@", StringComparison.Ordinal))
            .Select(name =>
                HostFiles.LinkTarget($"/opt/homebrew/opt/{name}") is { } target ? DisplayNumbers.Digits(target) : null
            )
            .Max();

    private static int? FirmwareFiles(string home)
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } given
            ? given
            : Path.Combine(home, "Library", "Caches");
        var folder = Path.Combine(cache, "tinygrad", "downloads", "fw");
        return Directory.Exists(folder) ? HostFiles.Names(folder).Count : null;
    }

    private List<string> Panics()
    {
        const string folder = "/Library/Logs/DiagnosticReports";
        var oldest = clock.GetUtcNow() - Limits.PanicAge;
        return
        [
            .. HostFiles
                .Names(folder)
                .Where(name => name.EndsWith(".panic", StringComparison.Ordinal))
                .Select(name => new FileInfo(Path.Combine(folder, name)))
                .Where(file => file.LastWriteTimeUtc > oldest.UtcDateTime)
                .OrderByDescending(file => file.LastWriteTimeUtc)
                .Take(Limits.PanicReports)
                .Select(file => HostFiles.Text(file.FullName, Limits.PanicReportBytes))
                .OfType<string>(),
        ];
    }
}
