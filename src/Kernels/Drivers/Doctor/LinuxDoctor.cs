using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Drivers.Linux;

namespace EgpuFleet.Kernels.Drivers.Doctor;

/// <summary>Examines a Linux machine: its GPUs, their drivers and files, and what the tinygrad engine needs.</summary>
public static class LinuxDoctor
{
    /// <summary>The one that the distribution's packages belong to.</summary>
    private const string SystemPython = "/usr/bin/python3";

    /// <summary>Pure. A machine without a GPU is well where what its processor uses is there.</summary>
    /// <param name="usesTinygrad">Whether its processor uses the tinygrad engine, or may; its GPUs do.</param>
    public static DoctorReport Examine(LinuxFacts facts, WorkerEvidence? worker, bool usesTinygrad)
    {
        usesTinygrad |= facts.Gpus.Any(gpu => gpu.VendorId is PciGpu.Amd or PciGpu.Nvidia);
        return new DoctorReport(
            "linux",
            [
                GpuOnBus(facts),
                OfVendor(facts, PciGpu.Amd, "amd_driver", AmdDriver),
                OfVendor(facts, PciGpu.Amd, "kfd", Kfd),
                OfVendor(facts, PciGpu.Amd, "render_node", RenderNode),
                OfVendor(facts, PciGpu.Amd, "amd_compiler", AmdCompiler),
                OfVendor(facts, PciGpu.Nvidia, "nvidia_driver", NvidiaDriver),
                OfVendor(facts, PciGpu.Nvidia, "nvidia_smi", NvidiaTool),
                OfVendor(facts, PciGpu.Nvidia, "nvidia_nodes", NvidiaNodes),
                OfTinygrad(Clang(facts), usesTinygrad),
                Llvm(facts),
                OfTinygrad(Python(facts), usesTinygrad),
                OfTinygrad(Numpy(facts), usesTinygrad),
                .. WorkerChecks.Of(worker),
            ]
        );
    }

    /// <summary>What nobody needs does not fail.</summary>
    private static DoctorCheck OfTinygrad(DoctorCheck check, bool usesTinygrad) =>
        usesTinygrad || check.State != CheckState.Failed
            ? check
            : DoctorCheck.Skipped(check.Id, $"not needed here, no device uses the tinygrad engine: {check.Seen}");

    /// <summary>Pure: what keeps this GPU from working; null where nothing does.</summary>
    public static DoctorCheck? ExamineGpu(LinuxFacts facts, PciGpu gpu)
    {
        IEnumerable<Func<LinuxFacts, PciGpu, string, DoctorCheck>> checks = gpu.VendorId switch
        {
            PciGpu.Amd => [AmdDriver, Kfd, RenderNode],
            PciGpu.Nvidia => [NvidiaDriver, NvidiaTool, NvidiaNodes],
            _ => [],
        };
        return checks
            .Select(check => check(facts, gpu, "gpu"))
            .FirstOrDefault(check => check.State == CheckState.Failed);
    }

    private static DoctorCheck GpuOnBus(LinuxFacts facts) =>
        facts.Gpus.Count > 0
            ? DoctorCheck.Ok("gpu_on_bus", string.Join("; ", facts.Gpus))
            : DoctorCheck.Skipped("gpu_on_bus", "no display controller is on PCI: this machine works on its CPU");

    /// <summary>The first that fails speaks for all GPUs of a vendor.</summary>
    private static DoctorCheck OfVendor(
        LinuxFacts facts,
        int vendorId,
        string id,
        Func<LinuxFacts, PciGpu, string, DoctorCheck> check
    )
    {
        var all = facts.Gpus.Where(gpu => gpu.VendorId == vendorId).Select(gpu => check(facts, gpu, id)).ToList();
        return all.FirstOrDefault(one => one.State == CheckState.Failed)
            ?? all.FirstOrDefault()
            ?? DoctorCheck.Skipped(id, $"no {(vendorId == PciGpu.Amd ? "AMD" : "Nvidia")} GPU is on the bus");
    }

    private static DoctorCheck AmdDriver(LinuxFacts facts, PciGpu gpu, string id) =>
        gpu.Driver == "amdgpu"
            ? DoctorCheck.Ok(id, $"amdgpu holds {gpu.Address}")
            : DoctorCheck.Failed(
                id,
                $"{gpu.Address} is held by {gpu.Driver ?? "no driver"}",
                "The kernel's amdgpu driver does not hold the GPU.",
                "sudo apt-get install firmware-amd-graphics && sudo modprobe amdgpu; sudo dmesg | grep amdgpu tells more."
            );

    private static DoctorCheck Kfd(LinuxFacts facts, PciGpu gpu, string id)
    {
        var node = facts.Node("/dev/kfd");
        if (!node.IsThere || facts.KfdGpuCount == 0)
        {
            return DoctorCheck.Failed(
                id,
                node.IsThere ? "/dev/kfd has no GPU" : "/dev/kfd is not there",
                "The kernel has no compute driver for this GPU, or this container was not given it.",
                "sudo modprobe amdgpu; in a container: --device=/dev/kfd --device=/dev/dri."
            );
        }
        return node.IsAllowed ? DoctorCheck.Ok(id, $"/dev/kfd, {facts.KfdGpuCount} GPU") : NotAllowed(node, id);
    }

    private static DoctorCheck RenderNode(LinuxFacts facts, PciGpu gpu, string id)
    {
        if (gpu.RenderNode is not { } path || facts.Node(path) is not { IsThere: true } node)
        {
            return DoctorCheck.Failed(
                id,
                $"{gpu.RenderNode ?? "a render node"} is not there",
                "The GPU has no file below /dev/dri, or this container was not given it.",
                "sudo modprobe amdgpu; in a container: --device=/dev/dri."
            );
        }
        return node.IsAllowed ? DoctorCheck.Ok(id, path) : NotAllowed(node, id);
    }

    private static DoctorCheck NotAllowed(DeviceNode node, string id) =>
        DoctorCheck.Failed(
            id,
            $"{node.Path} may not be used by this user",
            "This user is not in the group that owns the file.",
            "sudo usermod -aG render,video \"$USER\", then log out and in."
        );

    private static DoctorCheck AmdCompiler(LinuxFacts facts, PciGpu gpu, string id)
    {
        if (facts.HasComgr)
            return DoctorCheck.Ok(id, "AMD's own compiler (comgr)");
        return facts.LlvmVersion >= CompilerChecks.OldestLlvm
            ? DoctorCheck.Ok(id, $"LLVM {facts.LlvmVersion} in place of AMD's own compiler (comgr), which is not there")
            : DoctorCheck.Failed(
                id,
                facts.LlvmVersion is { } old ? $"LLVM {old}" : "neither comgr nor LLVM",
                $"Nothing here compiles kernels for AMD: LLVM {CompilerChecks.OldestLlvm} or newer does.",
                "sudo apt-get install libllvm19"
            );
    }

    private static DoctorCheck NvidiaDriver(LinuxFacts facts, PciGpu gpu, string id) =>
        gpu.Driver == "nvidia" || facts.Nvidia.Any(known => known.Address == gpu.Address)
            ? DoctorCheck.Ok(id, $"nvidia holds {gpu.Address}")
            : DoctorCheck.Failed(
                id,
                $"{gpu.Address} is held by {gpu.Driver ?? "no driver"}",
                "Nvidia's own kernel driver does not hold the GPU.",
                "sudo apt-get install nvidia-driver, then restart."
            );

    private static DoctorCheck NvidiaTool(LinuxFacts facts, PciGpu gpu, string id) =>
        facts.Nvidia.FirstOrDefault(known => known.Address == gpu.Address) is { } found
            ? DoctorCheck.Ok(id, $"{found.Name}, driver {found.DriverVersion}")
            : DoctorCheck.Failed(
                id,
                facts.NvidiaTrouble ?? $"nvidia-smi does not list {gpu.Address}",
                "Nvidia's driver does not answer for this GPU.",
                "sudo modprobe nvidia; if it fails, install the driver that fits the kernel and restart."
            );

    private static DoctorCheck NvidiaNodes(LinuxFacts facts, PciGpu gpu, string id)
    {
        var node = facts.Node("/dev/nvidiactl");
        if (!node.IsThere)
        {
            return DoctorCheck.Failed(
                id,
                "/dev/nvidiactl is not there",
                "Nvidia's device files are missing, or this container was not given them.",
                "sudo nvidia-modprobe; in a container: --gpus all."
            );
        }
        return
            facts.Nodes.FirstOrDefault(other =>
                other is { IsAllowed: false } && other.Path.StartsWith("/dev/nvidia", StringComparison.Ordinal)
            )
                is { } refused
            ? NotAllowed(refused, id)
            : DoctorCheck.Ok(id, "/dev/nvidia* may be used");
    }

    private static DoctorCheck Clang(LinuxFacts facts) =>
        facts.ClangVersion is { } version
            ? DoctorCheck.Ok("clang", version)
            : DoctorCheck.Failed(
                "clang",
                "clang is not there",
                "The tinygrad engine compiles with it what it runs on the CPU.",
                "sudo apt-get install clang"
            );

    private static DoctorCheck Llvm(LinuxFacts facts) =>
        facts.LlvmVersion switch
        {
            null => DoctorCheck.Skipped(
                "llvm",
                "no LLVM library; only AMD GPUs without comgr, and DEV=CPU:LLVM, need it"
            ),
            >= CompilerChecks.OldestLlvm and var version => DoctorCheck.Ok("llvm", $"LLVM {version}"),
            { } old => DoctorCheck.Unknown(
                "llvm",
                $"LLVM {old} is older than {CompilerChecks.OldestLlvm}; AMD GPUs without comgr, and DEV=CPU:LLVM, need a newer one",
                "sudo apt-get install libllvm19"
            ),
        };

    private static DoctorCheck Python(LinuxFacts facts) =>
        facts.PythonVersion is { } version && version >= TinygradPython.Oldest
            ? DoctorCheck.Ok("python3", $"Python {version}, {facts.PythonPath}")
            : DoctorCheck.Failed(
                "python3",
                facts.PythonVersion is { } old ? $"Python {old}" : "python3 is not there",
                $"The tinygrad engine needs Python {TinygradPython.Oldest} or newer.",
                "sudo apt-get install python3"
            );

    private static DoctorCheck Numpy(LinuxFacts facts) =>
        facts.NumpyVersion is { } version
            ? DoctorCheck.Ok("numpy", $"numpy {version}")
            : DoctorCheck.Failed(
                "numpy",
                $"{facts.PythonPath ?? "python3"} has no numpy",
                "The tinygrad engine exchanges numbers through it.",
                facts.PythonPath is null or SystemPython
                    ? "sudo apt-get install python3-numpy"
                    : $"{facts.PythonPath} -m pip install numpy"
            );
}
