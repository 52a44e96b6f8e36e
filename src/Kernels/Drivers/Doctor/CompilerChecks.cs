using EgpuFleet.Kernels.Drivers.Mac;

namespace EgpuFleet.Kernels.Drivers.Doctor;

/// <summary>What compiles kernels for the GPU of a Mac, and which compiler will be used.</summary>
internal static class CompilerChecks
{
    /// <summary>Oldest LLVM whose pointers have no type, as tinygrad writes them.</summary>
    public const int OldestLlvm = 15;

    public static DoctorCheck Compiler(MacFacts facts, PciGpu gpu, string id) =>
        gpu.VendorId switch
        {
            PciGpu.Amd => Amd(facts.Files, id),
            PciGpu.Nvidia => Nvidia(facts, id),
            _ => DoctorCheck.Skipped(id, "no engine drives this GPU"),
        };

    private static DoctorCheck Amd(MacFiles files, string id)
    {
        if (files.Comgr)
            return DoctorCheck.Ok(id, "AMD's own compiler (comgr)");
        return files.LlvmVersion >= OldestLlvm
            ? DoctorCheck.Ok(id, $"LLVM {files.LlvmVersion} in place of AMD's own compiler (comgr), which is not there")
            : DoctorCheck.Failed(
                id,
                files.LlvmVersion is { } old ? $"LLVM {old}" : "neither comgr nor LLVM",
                "Nothing here compiles kernels for AMD.",
                "brew install llvm, or for AMD's own compiler run extra/setup_hipcomgr_osx.sh of tinygrad."
            );
    }

    private static DoctorCheck Nvidia(MacFacts facts, string id)
    {
        const string noContainer = "python3 -m pip install tinymesa, then DEV=NV:NAK";
        if (facts.Files.TinyMesa)
            return DoctorCheck.Ok(id, "tinymesa (NAK), without a container");
        if (!facts.Files.NvccShim)
            return DoctorCheck.Unknown(
                id,
                "no nvcc shim; a tinymesa that pip installed is not seen from here",
                noContainer
            );
        if (!facts.IsDockerUp)
        {
            return DoctorCheck.Failed(
                id,
                "the nvcc shim is there, Docker does not answer",
                "Nvidia's compiler runs in a container, and Docker is down.",
                $"open -a Docker, or without a container: {noContainer}"
            );
        }
        return facts.Files.IsTemporaryFolderShared
            ? DoctorCheck.Ok(id, "nvcc in a container")
            : DoctorCheck.Failed(
                id,
                "TMPDIR is neither below the home folder nor in /var/folders",
                "The container that compiles does not see the folder for temporary files.",
                "Set TMPDIR=\"$HOME/tinygpu-tmp\" for the agent and make that folder."
            );
    }
}
