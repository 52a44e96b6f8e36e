using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Drivers.Linux;

/// <summary>Asks a Linux machine about its GPUs. Opens none of them.</summary>
/// <param name="engines">Where engines were installed; null: that does not matter here.</param>
internal sealed class LinuxProbe(TimeProvider clock, TinygradHome? engines = null)
{
    private const string Pci = "/sys/bus/pci/devices";
    private const string Kfd = "/sys/class/kfd/kfd/topology/nodes";

    private static readonly string[] LibraryFolders =
    [
        "/usr/lib",
        "/usr/lib64",
        "/usr/local/lib",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/opt/rocm/lib",
    ];

    private readonly HostCommand _commands = new(clock);

    public async Task<LinuxTexts> GatherAsync(CancellationToken cancellationToken)
    {
        Task<CommandText> Ask(string tool, params string[] arguments) =>
            _commands.RunAsync(tool, arguments, Limits.CommandTimeout, cancellationToken);

        var nvidia = Ask("nvidia-smi", $"--query-gpu={NvidiaSmi.Fields}", "--format=csv,noheader,nounits");
        var clang = Ask("clang", "--version");
        var python = await TinygradPython.FindAsync(
            _commands,
            cancellationToken,
            engines is { IsInstalled: true } ? engines.Python : null
        );
        var libraries = LibraryFolders.SelectMany(HostFiles.Names).ToList();
        return new LinuxTexts(
            [.. HostFiles.Names(Pci).Select(Device)],
            [.. HostFiles.Names(Kfd).Select(node => HostFiles.Text($"{Kfd}/{node}/gpu_id")).OfType<string>()],
            Nodes(),
            await nvidia,
            await clang,
            [.. libraries.Where(IsLlvm)],
            libraries.Any(name => name.StartsWith("libamd_comgr.so", StringComparison.Ordinal)),
            python.Path,
            python.VersionText,
            python.NumpyText
        );
    }

    /// <summary>Not libraries beside it, such as <c>libLLVMSPIRVLib</c>, which have numbers of their own.</summary>
    private static bool IsLlvm(string name) =>
        name.StartsWith("libLLVM-", StringComparison.Ordinal)
        || name.StartsWith("libLLVM.so", StringComparison.Ordinal);

    private static SysfsDevice Device(string address)
    {
        var folder = $"{Pci}/{address}";
        return new SysfsDevice(
            address,
            HostFiles.Text($"{folder}/class"),
            HostFiles.Text($"{folder}/vendor"),
            HostFiles.Text($"{folder}/device"),
            HostFiles.Text($"{folder}/current_link_speed"),
            HostFiles.Text($"{folder}/current_link_width"),
            HostFiles.LinkTarget($"{folder}/driver"),
            HostFiles.Text($"{folder}/mem_info_vram_total"),
            HostFiles.Text($"{folder}/removable"),
            HostFiles
                .Names($"{folder}/drm")
                .FirstOrDefault(name => name.StartsWith("renderD", StringComparison.Ordinal))
        );
    }

    private static List<DeviceNode> Nodes() =>
        [
            HostFiles.Node("/dev/kfd"),
            .. HostFiles
                .Names("/dev/dri")
                .Where(name => name.StartsWith("renderD", StringComparison.Ordinal))
                .Select(name => HostFiles.Node($"/dev/dri/{name}")),
            .. HostFiles
                .Names("/dev")
                .Where(name => name.StartsWith("nvidia", StringComparison.Ordinal) && name != "nvidia-caps")
                .Select(name => HostFiles.Node($"/dev/{name}")),
        ];
}
