using EgpuFleet.Kernels.Drivers.Gathering;

namespace EgpuFleet.Kernels.Drivers.Mac;

/// <summary>Everything that was asked of a Mac, as it answered.</summary>
/// <param name="IsAppleSilicon">By <c>sysctl hw.optional.arm64</c>, which a translated process is not lied to about.</param>
/// <param name="SystemVersion"><c>sw_vers -productVersion</c>.</param>
/// <param name="Extensions"><c>systemextensionsctl list</c>.</param>
/// <param name="Status"><c>TinyGPU status</c>.</param>
/// <param name="ReportJson"><c>system_profiler -json SPPCIDataType SPThunderboltDataType SPDisplaysDataType</c>.</param>
/// <param name="ReportText"><c>system_profiler SPPCIDataType</c>: its labels are known from public reports, the keys of the JSON for a GPU are not.</param>
/// <param name="PciRegistry"><c>ioreg -rc IOPCIDevice -l</c>.</param>
/// <param name="TinyGpuRegistry"><c>ioreg -rn tinygpu</c>.</param>
/// <param name="Docker"><c>docker info</c>.</param>
/// <param name="Server"><c>pgrep -f "TinyGPU server"</c>; the server itself is not asked: it has one client.</param>
/// <param name="LockHolders"><c>lsof -t</c> on tinygrad's lock files.</param>
/// <param name="Files">What is installed.</param>
/// <param name="Panics">Beginnings of the panic reports of the last days, newest first.</param>
public sealed record MacTexts(
    bool IsAppleSilicon,
    CommandText SystemVersion,
    CommandText Extensions,
    CommandText Status,
    CommandText ReportJson,
    CommandText ReportText,
    CommandText PciRegistry,
    CommandText TinyGpuRegistry,
    CommandText Docker,
    CommandText Server,
    CommandText LockHolders,
    MacFiles Files,
    IReadOnlyList<string> Panics
);

/// <summary>Files that a Mac with an external GPU has.</summary>
/// <param name="App"><c>/Applications/TinyGPU.app</c>.</param>
/// <param name="Comgr">AMD's compiler, <c>libamd_comgr.dylib</c>.</param>
/// <param name="LlvmVersion">Homebrew's LLVM, its major version; null where there is none.</param>
/// <param name="NvccShim"><c>~/.local/bin/nvcc</c>, which compiles in a container.</param>
/// <param name="TinyMesa"><c>libtinymesa.dylib</c>, Nvidia's open compiler.</param>
/// <param name="FirmwareFiles">Files in tinygrad's firmware cache; null where there is no such folder.</param>
/// <param name="IsTemporaryFolderShared">Whether TMPDIR lies where containers see it: below the home folder or <c>/var/folders</c>.</param>
public sealed record MacFiles(
    bool App,
    bool Comgr,
    int? LlvmVersion,
    bool NvccShim,
    bool TinyMesa,
    int? FirmwareFiles,
    bool IsTemporaryFolderShared
);
