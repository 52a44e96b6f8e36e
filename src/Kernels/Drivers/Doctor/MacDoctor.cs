using EgpuFleet.Kernels.Drivers.Failures;
using EgpuFleet.Kernels.Drivers.Mac;

namespace EgpuFleet.Kernels.Drivers.Doctor;

/// <summary>Examines a Mac with, or for, an external GPU. Unverified on hardware: written from public reports.</summary>
public static class MacDoctor
{
    private const string NoGpu = "no external GPU is on the bus";

    /// <summary>Pure. A Mac without anything of an external GPU is well: there is nothing to check.</summary>
    public static DoctorReport Examine(MacFacts facts, WorkerEvidence? worker) =>
        new(
            "macos",
            [
                AppleSilicon(facts),
                SystemVersion(facts),
                Enclosure(facts),
                GpuOnBus(facts),
                OfGpu(facts, "pci_id", PciId),
                OfGpu(facts, "link", Link),
                ExtensionChecks.Extension(facts),
                ExtensionChecks.Version(facts),
                OfGpu(facts, "address_windows", AddressWindows),
                OfGpu(facts, "attached", ExtensionChecks.Attached),
                OfGpu(facts, "compiler", CompilerChecks.Compiler),
                OfGpu(facts, "firmware_cache", FirmwareCache),
                InUse(facts),
                KernelPanic(facts),
                .. WorkerChecks.Of(worker),
            ]
        );

    /// <summary>Whether this Mac is meant to have an external GPU.</summary>
    internal static bool IsWanted(MacFacts facts) =>
        facts.Gpu is not null || facts.Extension is not null || facts.Files.App;

    private static DoctorCheck OfGpu(MacFacts facts, string id, Func<MacFacts, PciGpu, string, DoctorCheck> check) =>
        facts.Gpu is { } gpu ? check(facts, gpu, id) : DoctorCheck.Skipped(id, NoGpu);

    private static DoctorCheck AppleSilicon(MacFacts facts) =>
        facts.IsAppleSilicon
            ? DoctorCheck.Ok("apple_silicon", "this Mac has an Apple chip")
            : DoctorCheck.Failed(
                "apple_silicon",
                "this Mac has an Intel chip",
                "On Intel Macs the kernel panics when an external GPU starts.",
                "Use a Mac with Apple silicon. On this one only the CPU can work."
            );

    private static DoctorCheck SystemVersion(MacFacts facts)
    {
        const string id = "macos_version";
        if (facts.SystemVersion is not { } version)
            return DoctorCheck.Unknown(id, "sw_vers did not tell the version of macOS");
        return version >= MacFacts.OldestSystem
            ? DoctorCheck.Ok(id, $"macOS {version}")
            : DoctorCheck.Failed(
                id,
                $"macOS {version}",
                "TinyGPU needs macOS 13: older ones cannot reset a GPU.",
                "System Settings > General > Software Update."
            );
    }

    private static DoctorCheck Enclosure(MacFacts facts)
    {
        const string id = "enclosure";
        if (facts.Thunderbolt.Count > 0)
            return DoctorCheck.Ok(id, string.Join("; ", facts.Thunderbolt));
        if (!facts.IsReportRead || facts.Gpu is not null)
            return DoctorCheck.Unknown(id, "system_profiler did not tell what is on Thunderbolt");
        return IsWanted(facts)
            ? DoctorCheck.Failed(
                id,
                "nothing is on Thunderbolt or USB4",
                "The enclosure is off, or its cable carries no Thunderbolt.",
                "Switch the enclosure on and connect it with a Thunderbolt or USB4 cable to a port of the Mac itself."
            )
            : DoctorCheck.Skipped(id, "nothing is on Thunderbolt, and nothing of TinyGPU is installed");
    }

    private static DoctorCheck GpuOnBus(MacFacts facts)
    {
        const string id = "gpu_on_bus";
        if (facts.Gpu is { } gpu)
            return DoctorCheck.Ok(
                id,
                facts.Gpus.Count == 1 ? $"{gpu}" : $"{gpu}; one of {facts.Gpus.Count}, one a Mac is used"
            );
        if (!facts.IsReportRead)
            return DoctorCheck.Unknown(id, "system_profiler could not be read");
        return IsWanted(facts) && facts.Thunderbolt.Count > 0
            ? DoctorCheck.Failed(
                id,
                "no GPU is on PCI",
                "Something is on Thunderbolt and no GPU behind it: the card has no power, is not seated, or the enclosure did not pass it on.",
                "Check the card's power cables and seat; switch the enclosure off and on; then restart the Mac with it connected."
            )
            : DoctorCheck.Skipped(id, NoGpu);
    }

    private static DoctorCheck PciId(MacFacts facts, PciGpu gpu, string id) =>
        TinygradSupport.Of(gpu) switch
        {
            GpuSupport.Supported => DoctorCheck.Ok(id, $"{gpu.Id} is {gpu.VendorName} {TinygradSupport.Family(gpu)}"),
            GpuSupport.OtherClass => DoctorCheck.Failed(
                id,
                $"{gpu.Id} has class 0x{gpu.ClassCode:x6}",
                "TinyGPU attaches to VGA controllers (class 0x030000) only; this card says it is something else.",
                "Use a card with display outputs."
            ),
            var support => DoctorCheck.Failed(
                id,
                $"{gpu.Id} is not on tinygrad's list",
                support == GpuSupport.OtherVendor
                    ? $"tinygrad drives AMD and Nvidia; this card is of {gpu.VendorName}."
                    : "tinygrad does not drive this model.",
                "Use a card of the list in docs/doctor.md, such as an RX 7900 XTX, RX 9070 or RTX 3090."
            ),
        };

    private static DoctorCheck Link(MacFacts facts, PciGpu gpu, string id) =>
        gpu switch
        {
            { IsLinkUp: false } => DoctorCheck.Failed(
                id,
                "the PCI link is down",
                "The link to the card dropped.",
                "Switch the enclosure off and on; use another cable or port if it drops again."
            ),
            { LinkWidth: null, LinkGigatransfers: null } => DoctorCheck.Unknown(
                id,
                "macOS does not tell the link's speed"
            ),
            _ => DoctorCheck.Ok(id, $"x{gpu.LinkWidth} at {gpu.LinkGigatransfers} GT/s"),
        };

    private static DoctorCheck AddressWindows(MacFacts facts, PciGpu gpu, string id) =>
        facts
            .Registry.FirstOrDefault(device => (device.VendorId, device.DeviceId) == (gpu.VendorId, gpu.DeviceId))
            ?.IsResourced switch
        {
            true => DoctorCheck.Ok(id, "macOS gave the GPU its address windows"),
            false => DoctorCheck.Failed(
                id,
                "IOPCIResourced is not Yes",
                "macOS saw the GPU and gave it no address windows, so that every read returns 0xFFFFFFFF.",
                "Restart the Mac with the enclosure connected and switched on. If nothing changes, use another port or another enclosure."
            ),
            _ => DoctorCheck.Unknown(id, "the registry does not tell"),
        };

    private static DoctorCheck FirmwareCache(MacFacts facts, PciGpu gpu, string id) =>
        facts.Files.FirmwareFiles is > 0 and var count
            ? DoctorCheck.Ok(id, $"{count} files")
            : DoctorCheck.Unknown(
                id,
                "empty: the first open of the GPU downloads the firmware and fails offline",
                "Connect this Mac to the internet for the first open, or copy ~/Library/Caches/tinygrad/downloads/fw from another one."
            );

    private static DoctorCheck InUse(MacFacts facts)
    {
        var server = facts.IsServerRunning ? "a TinyGPU server runs" : "no TinyGPU server runs";
        return DoctorCheck.Ok(
            "in_use",
            facts.LockHolders.Count > 0
                ? $"{server}; the GPU's lock file is open in process {string.Join(", ", facts.LockHolders)}"
                : $"{server}; no process has the GPU's lock file open"
        );
    }

    private static DoctorCheck KernelPanic(MacFacts facts)
    {
        const string id = "kernel_panic";
        var match = facts
            .Panics.SelectMany(FailureTable.Classify)
            .FirstOrDefault(found => found.Signature.Class is FailureClass.HostPanic or FailureClass.HostUnsupported);
        return match is null
            ? DoctorCheck.Ok(id, $"none by a GPU within {Limits.PanicAge.TotalDays:0} days")
            : DoctorCheck.Failed(id, match.Line, match.Signature.Cause, match.Signature.Fix);
    }
}
