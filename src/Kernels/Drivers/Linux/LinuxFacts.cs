using EgpuFleet.Kernels.Drivers.Gathering;

namespace EgpuFleet.Kernels.Drivers.Linux;

/// <summary>What the texts of a Linux machine tell about its GPUs and about what tinygrad needs.</summary>
/// <param name="Gpus">Display controllers on PCI, with what Nvidia's tool adds.</param>
/// <param name="KfdGpuCount">GPUs that AMD's compute driver has.</param>
/// <param name="Nodes">Files of GPUs below <c>/dev</c>.</param>
/// <param name="Nvidia">GPUs that Nvidia's tool lists.</param>
/// <param name="NvidiaTrouble">Why Nvidia's tool lists none, in its words; null where it is content.</param>
/// <param name="ClangVersion">As it says it, or null.</param>
/// <param name="LlvmVersion">Major version of the newest shared library of LLVM, or null.</param>
/// <param name="PythonPath">Which <c>python3</c> that is, or null.</param>
/// <param name="PythonVersion">Of <c>python3</c>, or null.</param>
/// <param name="NumpyVersion">Of that Python's numpy, or null.</param>
public sealed record LinuxFacts(
    IReadOnlyList<PciGpu> Gpus,
    int KfdGpuCount,
    IReadOnlyList<DeviceNode> Nodes,
    IReadOnlyList<NvidiaGpu> Nvidia,
    string? NvidiaTrouble,
    string? ClangVersion,
    int? LlvmVersion,
    bool HasComgr,
    string? PythonPath,
    Version? PythonVersion,
    string? NumpyVersion
)
{
    private const int DisplayBaseClass = 0x03;

    /// <summary>Pure; any texts give some facts.</summary>
    public static LinuxFacts Of(LinuxTexts texts)
    {
        var nvidia = NvidiaSmi.Parse(texts.NvidiaSmi.IsGood ? texts.NvidiaSmi.Text : "");
        return new LinuxFacts(
            [.. texts.Pci.Select(Gpu).OfType<PciGpu>().Take(Limits.Gpus).Select(gpu => WithNvidia(gpu, nvidia))],
            texts.KfdGpuIds.Count(id => DisplayNumbers.Leading(id) is > 0),
            texts.Nodes,
            nvidia,
            texts.NvidiaSmi.IsGood
                ? null
                : DisplayNumbers.Plain(texts.NvidiaSmi.Text) ?? texts.NvidiaSmi.Trouble("nvidia-smi"),
            texts.Clang.IsGood ? FirstLine(texts.Clang.Text) : null,
            texts.Llvm.Select(LlvmMajor).Max(),
            texts.HasComgr,
            texts.PythonPath,
            PythonTrial.VersionOf(texts.Python),
            texts.Numpy.IsGood ? FirstLine(texts.Numpy.Text) : null
        );
    }

    /// <summary>The node of that path; not there where nobody looked.</summary>
    public DeviceNode Node(string path) =>
        Nodes.FirstOrDefault(node => node.Path == path) ?? new DeviceNode(path, IsThere: false, IsAllowed: false);

    private static PciGpu? Gpu(SysfsDevice device)
    {
        var code = DisplayNumbers.Hex(device.Class);
        var vendor = DisplayNumbers.Hex(device.Vendor);
        var id = DisplayNumbers.Hex(device.Device);
        if (code is null || code >> 16 != DisplayBaseClass || vendor is null || id is null)
            return null;
        var gpu = new PciGpu(
            device.Address,
            vendor.Value,
            id.Value,
            code,
            null,
            DisplayNumbers.Whole(device.LinkWidth, 64),
            DisplayNumbers.Leading(device.LinkSpeed),
            null,
            device.Removable == "removable",
            DisplayNumbers.Plain(device.Driver),
            DisplayNumbers.Bytes(device.Vram, 1),
            device.RenderNode is { } node ? $"/dev/dri/{node}" : null
        );
        return gpu with { Name = TinygradSupport.Family(gpu) is { } family ? $"{gpu.VendorName} {family}" : null };
    }

    private static PciGpu WithNvidia(PciGpu gpu, IReadOnlyList<NvidiaGpu> nvidia) =>
        nvidia.FirstOrDefault(other => other.Address == gpu.Address) is { } known
            ? gpu with
            {
                Name = known.Name,
                VramBytes = known.MemoryBytes,
            }
            : gpu;

    /// <summary><c>libLLVM-19.so.1</c>, <c>libLLVM.so.19.1</c>.</summary>
    private static int? LlvmMajor(string library) => DisplayNumbers.Digits(library);

    private static string? FirstLine(string text) => DisplayNumbers.Plain(text.Split('\n', 2)[0]);
}
