using EgpuFleet.Kernels.Drivers.Mac;

namespace EgpuFleet.Kernels.Drivers.Doctor;

/// <summary>TinyGPU's driver extension on a Mac: there, allowed, of a good version, attached.</summary>
internal static class ExtensionChecks
{
    private const string Install = "/Applications/TinyGPU.app/Contents/MacOS/TinyGPU install";

    private const string Allow =
        "System Settings > General > Login Items & Extensions > Driver Extensions > turn TinyGPU on.";

    private const string Replug =
        "Unplug the enclosure, wait ten seconds, plug it in; then restart the Mac if nothing changes.";

    public static DoctorCheck Extension(MacFacts facts)
    {
        const string id = "extension";
        if (!MacDoctor.IsWanted(facts))
            return DoctorCheck.Skipped(id, "TinyGPU is not installed, and no external GPU is on the bus");
        var seen = facts.Extension is { } row ? $"{row.BundleId} {row.Version} [{row.StateText}]" : "no row";
        return facts.Extension?.State switch
        {
            ExtensionState.Activated => DoctorCheck.Ok(id, seen),
            ExtensionState.WaitingForUser => DoctorCheck.Failed(
                id,
                seen,
                "macOS waits for a person to allow the extension.",
                Allow
            ),
            ExtensionState.Disabled => DoctorCheck.Failed(id, seen, "A person turned the extension off.", Allow),
            ExtensionState.Terminated => DoctorCheck.Failed(
                id,
                seen,
                "Only an old version is there, and it goes with the next restart.",
                $"Restart the Mac, then run: {Install}"
            ),
            ExtensionState.Activating => DoctorCheck.Unknown(id, seen, "Wait a minute, then run ./fleet doctor again."),
            _ => Absent(facts, id),
        };
    }

    public static DoctorCheck Version(MacFacts facts)
    {
        const string id = "extension_version";
        if (facts.Extension is not { } row)
            return DoctorCheck.Skipped(id, "no TinyGPU extension is installed");
        return TinyGpuVersions.Judge(row.Version) switch
        {
            TinyGpuVersion.KnownGood => DoctorCheck.Ok(id, row.Version),
            TinyGpuVersion.KnownBad => DoctorCheck.Failed(
                id,
                row.Version,
                $"Versions before {TinyGpuVersions.Good} do not fit the pinned tinygrad.",
                $"Install the current TinyGPU.app, then run: {Install}"
            ),
            TinyGpuVersion.Newer => DoctorCheck.Unknown(
                id,
                $"{row.Version} is newer than {TinyGpuVersions.Good}, which is known"
            ),
            _ => DoctorCheck.Unknown(id, $"'{row.Version}' is no version"),
        };
    }

    public static DoctorCheck Attached(MacFacts facts, PciGpu gpu, string id)
    {
        if (facts.Extension?.State != ExtensionState.Activated)
            return DoctorCheck.Skipped(id, "the extension does not run");
        return facts.IsAttached switch
        {
            true => DoctorCheck.Ok(id, "TinyGPU holds the GPU"),
            false => DoctorCheck.Failed(
                id,
                "TinyGPU's service is not in the registry",
                "The extension runs and has not taken the GPU.",
                Replug
            ),
            null => DoctorCheck.Unknown(id, "the registry could not be read"),
        };
    }

    private static DoctorCheck Absent(MacFacts facts, string id)
    {
        if (!facts.IsListed)
        {
            return facts.Status == TinyGpuStatus.Ready
                ? DoctorCheck.Ok(id, "TinyGPU says it is ready; systemextensionsctl did not answer")
                : DoctorCheck.Unknown(id, "systemextensionsctl did not answer");
        }
        return DoctorCheck.Failed(
            id,
            $"no row of {SystemExtensions.TinyGpu}",
            facts.Files.App ? "TinyGPU.app is there and its extension is not installed." : "TinyGPU is not installed.",
            facts.Files.App ? Install : $"Run extra/setup_tinygpu_osx.sh of tinygrad, then allow it: {Allow}"
        );
    }
}
