using EgpuFleet.Kernels.Drivers.Gathering;

namespace EgpuFleet.Kernels.Drivers.Linux;

/// <summary>Texts of one device in <c>/sys/bus/pci/devices</c>; null where there is no such file.</summary>
/// <param name="Address">Name of its folder, <c>0000:03:00.0</c>.</param>
/// <param name="Driver">Name of the driver that holds it.</param>
/// <param name="Vram"><c>mem_info_vram_total</c>, which amdgpu gives.</param>
/// <param name="Removable"><c>removable</c>: <c>removable</c> behind Thunderbolt, else <c>fixed</c>.</param>
/// <param name="RenderNode">Name of its node below <c>/dev/dri</c>.</param>
public sealed record SysfsDevice(
    string Address,
    string? Class,
    string? Vendor,
    string? Device,
    string? LinkSpeed,
    string? LinkWidth,
    string? Driver,
    string? Vram,
    string? Removable,
    string? RenderNode
);

/// <summary>Everything that was asked of a Linux machine, as it answered.</summary>
/// <param name="Pci">Its PCI devices.</param>
/// <param name="KfdGpuIds"><c>gpu_id</c> of each node of AMD's compute driver; 0 is the processor.</param>
/// <param name="Nodes">The files of GPUs below <c>/dev</c> that are there, and <c>/dev/kfd</c> in any case.</param>
/// <param name="NvidiaSmi"><c>nvidia-smi</c> with <see cref="Linux.NvidiaSmi.Fields"/>.</param>
/// <param name="Clang"><c>clang --version</c>.</param>
/// <param name="Llvm">Names of LLVM's shared libraries, such as <c>libLLVM-19.so.1</c>.</param>
/// <param name="HasComgr">Whether AMD's compiler library is there.</param>
/// <param name="PythonPath">The interpreter that the tinygrad engine runs in, or would; null where there is none.</param>
/// <param name="Python">Its <c>--version</c>.</param>
/// <param name="Numpy">Its answer to an import of numpy, which prints the version.</param>
public sealed record LinuxTexts(
    IReadOnlyList<SysfsDevice> Pci,
    IReadOnlyList<string> KfdGpuIds,
    IReadOnlyList<DeviceNode> Nodes,
    CommandText NvidiaSmi,
    CommandText Clang,
    IReadOnlyList<string> Llvm,
    bool HasComgr,
    string? PythonPath,
    CommandText Python,
    CommandText Numpy
);
